"""What other modules fill."""

MAKERS = {}
STEPS = [1, 2]
STEPS.append(3)


class Organ:
    pipes = 4


def maker(name):
    def register(function):
        MAKERS[name] = function
        return function

    return register
