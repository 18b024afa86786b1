"""what a million mentions need"""

from datetime import UTC

import sqlalchemy as sa
from alembic import op

import store.types
from escucha.words import hashtags, words
from store import fulltext
from store.seek import seek


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
CHUNK = 1000
PANEL = ['brand_id', 'created_at', 'day', 'stage', 'sentiment', 'pain', 'touchpoint', 'source', 'lang']
DIMENSIONS = {
    '': "''", 'source': 'source', 'stage': 'stage', 'pain': 'pain', 'touchpoint': 'touchpoint', 'lang': 'lang',
    'stage|pain': "coalesce(stage, '') || '|' || coalesce(pain, '')",
    'stage|touchpoint': "coalesce(stage, '') || '|' || coalesce(touchpoint, '')",
}


def upgrade() -> None:
    brand = lambda: sa.Column('brand_id', ID, sa.ForeignKey('brand.id', ondelete='CASCADE'), nullable=False)
    op.create_table('tally',
    brand(),
    sa.Column('dimension', sa.String(length=20), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('key', sa.String(length=200), nullable=False),
    sa.Column('sentiment', sa.String(length=40), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('copies', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('brand_id', 'dimension', 'day', 'key', 'sentiment', name=op.f('pk_tally')),
    sqlite_with_rowid=False)
    op.create_table('author_tally',
    brand(),
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('author_id', sa.BigInteger(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('positive', sa.Integer(), nullable=False),
    sa.Column('negative', sa.Integer(), nullable=False),
    sa.Column('engagement', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('brand_id', 'month', 'author_id', name=op.f('pk_author_tally')),
    sqlite_with_rowid=False)
    op.create_table('band',
    sa.Column('brand_id', sa.BigInteger(), nullable=False),
    sa.Column('band', sa.BigInteger(), nullable=False),
    sa.Column('mention_id', ID, sa.ForeignKey('mention.id', ondelete='CASCADE'), nullable=False),
    sa.PrimaryKeyConstraint('brand_id', 'band', 'mention_id', name=op.f('pk_band')),
    sqlite_with_rowid=False)
    op.create_index('ix_band_mention', 'band', ['mention_id'])
    op.create_table('exclusion',
    sa.Column('id', ID, nullable=False),
    brand(),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('refuse', sa.Boolean(), nullable=False),
    sa.Column('after_id', sa.BigInteger(), nullable=True),
    sa.Column('made_at', store.types.UtcTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exclusion')),
    sa.UniqueConstraint('brand_id', 'kind', 'value', name=op.f('uq_exclusion_brand_id_kind_value')))
    op.create_table('retention',
    sa.Column('id', ID, nullable=False),
    sa.Column('source', sa.String(length=100), nullable=True),
    sa.Column('brand_id', ID, sa.ForeignKey('brand.id', ondelete='CASCADE'), nullable=True),
    sa.Column('days', sa.Integer(), nullable=True),
    sa.Column('raw_days', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_retention')))
    op.create_table('audit',
    sa.Column('id', ID, nullable=False),
    sa.Column('at', store.types.UtcTime(timezone=True), nullable=False),
    sa.Column('act', sa.String(length=40), nullable=False),
    sa.Column('mark', sa.String(length=64), nullable=True),
    sa.Column('details', sa.JSON(none_as_null=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit')))

    op.add_column('author', sa.Column('blocked_at', store.types.UtcTime(timezone=True), nullable=True))
    for column in (
        sa.Column('seek', sa.BigInteger(), nullable=False, server_default='0'),
        sa.Column('words', sa.Text(), nullable=False, server_default=''),
        sa.Column('title_words', sa.Text(), nullable=True),
        sa.Column('hashtags', sa.Text(), nullable=True),
        sa.Column('engagement', sa.BigInteger(), nullable=True),
        sa.Column('same', sa.String(length=32), nullable=True),
        sa.Column('cluster_id', sa.BigInteger(), nullable=True),
        sa.Column('copy', sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column('hidden', sa.String(length=20), nullable=True),
        sa.Column('kept', sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column('mention', column)
    for name in ('ix_mention_newest', 'ix_mention_stage', 'ix_mention_panel'):
        op.drop_index(name, 'mention')
    op.drop_column('mention', 'folded')
    _read_words()
    op.create_index('ix_mention_newest', 'mention', ['brand_id', 'seek'])
    op.create_index('ix_mention_stage', 'mention', ['brand_id', 'stage', 'seek'])
    op.create_index('ix_mention_panel', 'mention', [*PANEL, 'hidden', 'copy'])
    if op.get_bind().dialect.name == 'sqlite':
        op.create_index('ix_mention_engagement', 'mention', ['brand_id', 'engagement', 'seek'])
    else:
        op.execute('CREATE INDEX ix_mention_engagement ON mention (brand_id, engagement DESC NULLS LAST, seek DESC)')
    for name, columns, where in (
        ('compare', ['id'], 'same IS NULL'), ('same', ['brand_id', 'same'], 'same IS NOT NULL'),
        ('cluster', ['cluster_id'], 'cluster_id IS NOT NULL'),
    ):
        where = sa.text(where)
        op.create_index(f'ix_mention_{name}', 'mention', columns, sqlite_where=where, postgresql_where=where)

    connection = op.get_bind()
    for statement in fulltext.MAKE[connection.dialect.name]:
        op.execute(statement)
    fulltext.rebuild(connection)
    for dimension, key in DIMENSIONS.items():
        op.execute(
            "INSERT INTO tally (brand_id, dimension, day, key, sentiment, n, copies) "
            f"SELECT brand_id, '{dimension}', day, coalesce({key}, ''), coalesce(sentiment, ''), count(*), 0 "
            "FROM mention GROUP BY 1, 3, 4, 5"
        )
    month = ("date(day, 'start of month')" if connection.dialect.name == 'sqlite'
             else "CAST(date_trunc('month', day) AS date)")
    op.execute(
        "INSERT INTO author_tally (brand_id, month, author_id, n, positive, negative, engagement) "
        f"SELECT brand_id, {month}, author_id, count(*), sum(CASE WHEN sentiment = 'positive' THEN 1 ELSE 0 END), "
        "sum(CASE WHEN sentiment = 'negative' THEN 1 ELSE 0 END), sum(coalesce(engagement, 0)) "
        "FROM mention WHERE author_id IS NOT NULL GROUP BY 1, 2, 3"
    )


def _read_words() -> None:
    """Cut every stored text into words, in steps that fit in memory."""
    connection, last = op.get_bind(), 0
    mention = sa.table('mention', *(sa.column(name) for name in (
        'id', 'title', 'text', 'likes', 'comments', 'shares', 'seek', 'words', 'title_words', 'hashtags', 'engagement',
    )), sa.column('created_at', store.types.UtcTime()))  # fmt: skip
    update = sa.update(mention).where(mention.c.id == sa.bindparam('row')).values(
        {name: sa.bindparam(name) for name in ('seek', 'words', 'title_words', 'hashtags', 'engagement')}
    )
    while True:
        rows = connection.execute(
            sa.select(mention).where(mention.c.id > last).order_by(mention.c.id).limit(CHUNK)
        ).all()
        if not rows:
            return
        connection.execute(update, [_read(row) for row in rows])
        last = rows[-1].id


def _read(row: sa.Row) -> dict:
    said = f'{row.title or ""} {row.text}'
    known = [n for n in (row.likes, row.comments, row.shares) if n is not None]
    return {
        'row': row.id, 'seek': seek(row.created_at.astimezone(UTC), row.id), 'words': ' '.join(words(said)),
        'title_words': ' '.join(words(row.title)) if row.title else None,
        'hashtags': ' '.join(hashtags(said)) or None, 'engagement': sum(known) if known else None,
    }


def downgrade() -> None:
    for statement in fulltext.DROP[op.get_bind().dialect.name]:
        op.execute(statement)
    for name in ('compare', 'same', 'cluster', 'newest', 'stage', 'panel', 'engagement'):
        op.drop_index(f'ix_mention_{name}', 'mention')
    for name in ('kept', 'hidden', 'copy', 'cluster_id', 'same', 'engagement', 'hashtags', 'title_words', 'seek'):
        op.drop_column('mention', name)
    op.alter_column('mention', 'words', new_column_name='folded')
    op.create_index('ix_mention_newest', 'mention', ['brand_id', 'created_at', 'id'])
    op.create_index('ix_mention_stage', 'mention', ['brand_id', 'stage', 'created_at', 'id', 'sentiment'])
    op.create_index('ix_mention_panel', 'mention', PANEL)
    op.drop_column('author', 'blocked_at')
    for table in ('audit', 'retention', 'exclusion', 'band', 'author_tally', 'tally'):
        op.drop_table(table)
