"""What does a random forest do with breast cancer data? A ReLU network tells, exactly.

Fits a forest, trains an interpreter on its answers and prints how often both agree, why the forest
calls one tumour what it does, and a few rules that say nearly the same. About ten seconds.
"""

import jax
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

from theory.interpreter import interpret


def main(steps: int = 4000) -> tuple[float, int]:
    """Train the interpreter for `steps` steps; return its fidelity and the number of rules."""
    cancer = load_breast_cancer()
    names = cancer.target_names[cancer.target]
    forest = RandomForestClassifier(100, random_state=0).fit(cancer.data, names)
    story = interpret(
        forest, cancer.data, key=jax.random.key(0), steps=steps, features=cancer.feature_names
    )
    print(f"equal labels on held-out tumours      {story.data_fidelity:.3f}")
    print(f"the same, moved by 0.1 deviations     {story.fidelity:.3f}")

    tumour = story.place.held_out[0]
    why = story.explain(tumour)
    print(f"\n{why}\n")
    print(f"steepest: {story.features[abs(why.effects).argmax()]}")
    print(f"boundary inside this linear region: {why.foot_inside}")

    rules = story.rules(0.98)
    print(f"\n{len(rules)} rules for {rules.linear_regions} linear regions,", end=" ")
    print(f"right at {rules.fidelity:.1%} of the points; the first two:")
    for rule in rules[:2]:
        print(f"  {rule}")
    return story.fidelity, len(rules)


if __name__ == "__main__":
    main()
