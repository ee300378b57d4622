"""Analogies between frequent words of the King James Bible: a is to b as c is to d."""

from __future__ import annotations

ANALOGIES: tuple[tuple[str, str, str, str], ...] = (
    # Gender.
    ("man", "woman", "king", "queen"),
    ("father", "mother", "son", "daughter"),
    ("husband", "wife", "father", "mother"),
    ("brother", "sister", "son", "daughter"),
    ("sons", "daughters", "brother", "sister"),
    ("he", "she", "his", "her"),
    ("manservant", "maidservant", "son", "daughter"),
    # Number.
    ("king", "kings", "priest", "priests"),
    ("son", "sons", "daughter", "daughters"),
    ("city", "cities", "house", "houses"),
    ("man", "men", "woman", "women"),
    ("servant", "servants", "prophet", "prophets"),
    ("hand", "hands", "foot", "feet"),
    ("sheep", "lambs", "goat", "goats"),
    ("mountain", "mountains", "hill", "hills"),
    # Tense and person.
    ("come", "came", "go", "went"),
    ("say", "said", "speak", "spake"),
    ("give", "gave", "take", "took"),
    ("eat", "eaten", "drink", "drunk"),
    ("thou", "thy", "he", "his"),
    ("i", "my", "we", "our"),
    ("he", "him", "they", "them"),
    # Opposites and kinship.
    ("day", "night", "light", "darkness"),
    ("good", "evil", "life", "death"),
    ("heaven", "earth", "north", "south"),
    ("gold", "silver", "brass", "iron"),
    ("abraham", "isaac", "isaac", "jacob"),
    ("moses", "aaron", "david", "solomon"),
    ("jerusalem", "judah", "samaria", "israel"),
    ("egypt", "pharaoh", "babylon", "nebuchadnezzar"),
)
