"""what listening to many sources needs"""

import sqlalchemy as sa
from alembic import op

import store.types


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('tombstone',
    sa.Column('mark', sa.String(length=64), nullable=False),
    sa.Column('at', store.types.UtcTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('mark', name=op.f('pk_tombstone'))
    )
    op.create_table('channel',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('brand_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('present', sa.Boolean(), nullable=True),
    sa.Column('attended', sa.Boolean(), nullable=True),
    sa.Column('owner', sa.String(length=200), nullable=True),
    sa.ForeignKeyConstraint(['brand_id'], ['brand.id'], name=op.f('fk_channel_brand_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_channel')),
    sa.UniqueConstraint('brand_id', 'name', name=op.f('uq_channel_brand_id_name'))
    )
    op.create_table('credential',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('source', sa.String(length=100), nullable=False),
    sa.Column('brand_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('sealed', sa.Text(), nullable=False),
    sa.Column('at', store.types.UtcTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['brand_id'], ['brand.id'], name=op.f('fk_credential_brand_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_credential'))
    )
    with op.batch_alter_table('credential', schema=None) as batch_op:
        batch_op.create_index('ix_credential_source', ['source', 'brand_id', 'name'], unique=True)

    op.create_table('backfill',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('watch_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('since', store.types.UtcTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('cursor', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('reached', store.types.UtcTime(timezone=True), nullable=True),
    sa.Column('fetched', sa.Integer(), nullable=False),
    sa.Column('new', sa.Integer(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('made_at', store.types.UtcTime(timezone=True), nullable=False),
    sa.Column('next_at', store.types.UtcTime(timezone=True), nullable=False),
    sa.Column('ended_at', store.types.UtcTime(timezone=True), nullable=True),
    sa.Column('leased_until', store.types.UtcTime(timezone=True), nullable=True),
    sa.Column('problem', sa.JSON(none_as_null=True), nullable=True),
    sa.ForeignKeyConstraint(['watch_id'], ['watch.id'], name=op.f('fk_backfill_watch_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_backfill'))
    )
    with op.batch_alter_table('backfill', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_backfill_watch_id'), ['watch_id'], unique=False)

    # Columns are added in place: a table that is made anew would take what refers to it along.
    op.add_column('author', sa.Column('followers_at', store.types.UtcTime(timezone=True), nullable=True))
    op.add_column('author', sa.Column('asked_at', store.types.UtcTime(timezone=True), nullable=True))
    op.create_index('ix_author_asked', 'author', ['source', 'asked_at'])
    op.execute("UPDATE author SET followers_at = (SELECT max(heard_at) FROM mention WHERE author_id = author.id) "
               "WHERE followers IS NOT NULL")

    for name in ('check_at', 'confirmed_at'):
        op.add_column('mention', sa.Column(name, store.types.UtcTime(timezone=True), nullable=True))
    there = sa.text('check_at IS NOT NULL')
    op.create_index('ix_mention_check', 'mention', ['check_at'], sqlite_where=there, postgresql_where=there)

    for name in ('passed', 'gone'):
        op.add_column('run', sa.Column(name, sa.Integer(), nullable=False, server_default='0'))
    op.add_column('run', sa.Column('cost', sa.Float(), nullable=False, server_default='0'))
    for name in ('covers_from', 'covers_to'):
        op.add_column('run', sa.Column(name, store.types.UtcTime(timezone=True), nullable=True))
    op.add_column('run', sa.Column('backfill_id', sa.BigInteger(), nullable=True))

    for name in ('slowest', 'pace'):
        op.add_column('watch', sa.Column(name, sa.Integer(), nullable=False, server_default='900'))
    op.execute("UPDATE watch SET slowest = every, pace = every")  # a watch keeps the rhythm it was given
    for name in ('made_at', 'last_good_at'):
        op.add_column('watch', sa.Column(name, store.types.UtcTime(timezone=True), nullable=True))
    op.execute("UPDATE watch SET made_at = (SELECT min(at) FROM run WHERE watch_id = watch.id)")
    op.execute("UPDATE watch SET last_good_at = last_run_at WHERE failures = 0")
    for name in ('doubt', 'quota'):
        op.add_column('watch', sa.Column(name, sa.JSON(none_as_null=True), nullable=True))
    op.add_column('watch', sa.Column('hook', sa.String(length=64), nullable=True))
    op.create_index('ix_watch_hook', 'watch', ['hook'], unique=True)



def downgrade() -> None:
    op.drop_index('ix_watch_hook', 'watch')
    for name in ('hook', 'quota', 'doubt', 'last_good_at', 'made_at', 'pace', 'slowest'):
        op.drop_column('watch', name)
    for name in ('backfill_id', 'covers_to', 'covers_from', 'cost', 'gone', 'passed'):
        op.drop_column('run', name)
    op.drop_index('ix_mention_check', 'mention')
    for name in ('confirmed_at', 'check_at'):
        op.drop_column('mention', name)
    op.drop_index('ix_author_asked', 'author')
    for name in ('asked_at', 'followers_at'):
        op.drop_column('author', name)
    for table in ('backfill', 'credential', 'channel', 'tombstone'):
        op.drop_table(table)
