"""Filters."""


def smooth(samples):
    """Means of neighbours."""
    return [(a + b) / 2 for a, b in zip(samples, samples[1:], strict=False)]


def scale(factor, samples):
    return [factor * sample for sample in samples]


def quantise(sample):
    return round(sample * 10) / 10


def clip(sample):
    return min(sample, 1.5)


def soft(sample):
    return sample / (1 + sample)


def hard(sample):
    return min(1, sample)


def shaper(drive):
    def shape(sample):
        return drive * sample

    return shape


SHAPES = {"soft": soft, "hard": hard}
WARM = shaper(0.75)
