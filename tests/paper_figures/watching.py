"""A watcher of runs that remembers what it was told."""


class Watcher:
    def __init__(self):
        self.begun, self.parts, self.outcomes, self.said = [], [], [], []

    def begin(self, claim):
        self.begun.append(claim)

    def under_way(self, part):
        self.parts.append(part)

    def finish(self, outcome):
        self.outcomes.append(outcome)

    def say(self, message):
        self.said.append(message)
