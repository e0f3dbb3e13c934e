"""The standards: hierarchies of categories, their titles, and the links between them."""

from occode.classification.catalogue import Catalogue, TopicNotFound
from occode.classification.correspondence import Correspondence, Link
from occode.classification.hierarchy import Category, Classification, Title

__all__ = ["Catalogue", "Category", "Classification", "Correspondence", "Link", "Title", "TopicNotFound"]
