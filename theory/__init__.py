"""What can be checked of neurons: claims and the statistics that judge them."""

from theory.claims import Budget as Budget
from theory.claims import Claim as Claim
from theory.claims import Verdict as Verdict
from theory.claims import budgets as budgets
from theory.claims import claims as claims
from theory.claims import laptop as laptop
from theory.claims import paper as paper
from theory.claims import papers as papers
from theory.claims import smoke as smoke
