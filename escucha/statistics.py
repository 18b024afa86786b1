"""The few formulas behind every number: proportions and net sentiment, each with its interval."""

from __future__ import annotations

from math import sqrt

from escucha.journey import SentimentMix, Share

Z95 = 1.959963984540054


def share(count: int, n: int, z: float = Z95) -> Share:
    """`count` of `n` with the Wilson score interval (Wilson 1927, JASA 22:209–212); 0..1 wide open where n is 0."""
    if n <= 0:
        return Share(count=0, n=0, share=0.0, low=0.0, high=1.0)
    p = count / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == n else min(1.0, centre + half)
    return Share(count=count, n=n, share=p, low=low, high=high)


def sentiment_mix(positive: int, neutral: int, negative: int) -> SentimentMix:
    """The mix of a group, with the net sentiment 100·(P−N)/n (metrics.md b1).

    Its interval is Newcombe's hybrid score interval for the difference of two proportions of one sample (Newcombe
    1998, Statistics in Medicine 17:2635–2650, method 10, with the multinomial correlation of the two shares).
    """
    n = positive + neutral + negative
    p, m = share(positive, n), share(negative, n)
    net = low = high = None
    if n:
        net = 100 * (p.share - m.share)
        spread = sqrt(p.share * (1 - p.share) * m.share * (1 - m.share))
        correlation = -p.share * m.share / spread if spread else 0.0
        down_p, up_p, down_m, up_m = p.share - p.low, p.high - p.share, m.share - m.low, m.high - m.share
        low = max(-100.0, net - 100 * sqrt(max(0.0, down_p**2 + up_m**2 - 2 * correlation * down_p * up_m)))
        high = min(100.0, net + 100 * sqrt(max(0.0, up_p**2 + down_m**2 - 2 * correlation * up_p * down_m)))
    return SentimentMix(
        n=n, positive=p, neutral=share(neutral, n), negative=m, net=net, net_low=low, net_high=high
    )
