"""Scores of a ranking, against definitions written out and against chance."""

from itertools import pairwise, permutations

import numpy as np
import pytest

from gwtransfer.core.retrieval import (
    Ranking,
    average_precision,
    discounted_gain,
    recall,
    retrieve,
)


def naive(relevant):
    """Return the five scores of a ranking without ties, from their definitions."""
    ranks = [i for i, hit in enumerate(relevant, start=1) if hit]
    c = len(ranks)
    gain = sum(1.0 if i == 1 else 1 / np.log2(i) for i in ranks)
    best = sum(1.0 if i == 1 else 1 / np.log2(i) for i in range(1, c + 1))
    return [
        float(relevant[0]),
        sum(relevant[:c]) / c,
        sum(relevant[: 2 * c]) / c,
        gain / best,
        sum((place + 1) / i for place, i in enumerate(ranks)) / c,
    ]


def scored(distances, relevant):
    ranking = Ranking.of(np.asarray(distances, dtype=float), np.asarray(relevant, dtype=bool))
    return [
        float(ranking.gains[0]),
        recall(ranking, ranking.found),
        recall(ranking, 2 * ranking.found),
        discounted_gain(ranking),
        average_precision(ranking),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_their_definitions(seed):
    """Without ties, each score is the sum it is defined by."""
    rng = np.random.default_rng(seed)
    distances = rng.permutation(9).astype(float)
    relevant = rng.permutation([True] * 4 + [False] * 5)
    expected = naive([bool(relevant[i]) for i in np.argsort(distances)])
    np.testing.assert_allclose(scored(distances, relevant), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("distances", [[0, 1, 1, 1, 2], [1, 1, 1, 1, 1], [0, 0, 1, 2, 2]])
@pytest.mark.parametrize("relevant", [[1, 0, 1, 0, 1], [0, 1, 0, 0, 0], [0, 1, 1, 0, 0]])
def test_ties_count_by_their_expected_value(distances, relevant):
    """A tied ranking has the mean of the scores of all its orders."""
    orders = [
        order
        for order in permutations(range(5))
        if all(distances[a] <= distances[b] for a, b in pairwise(order))
    ]
    expected = np.mean([naive([bool(relevant[i]) for i in order]) for order in orders], axis=0)
    np.testing.assert_allclose(scored(distances, relevant), expected, rtol=0, atol=1e-12)


def test_a_perfect_ranking_scores_one():
    """Classes that are nearer inside than outside have every score 1 and no confusion."""
    classes = np.repeat([0, 1, 2], [2, 3, 4])
    distances = np.where(classes[:, None] == classes[None], 1.0, 2.0)
    np.fill_diagonal(distances, 0.0)
    found = retrieve(distances, classes, classes, itself=True)
    for score in ("nearest", "first_tier", "second_tier", "discounted_gain", "average_precision"):
        np.testing.assert_allclose(getattr(found, score), np.ones(9), rtol=0, atol=1e-15)
    np.testing.assert_array_equal(found.confusion, np.diag([2.0, 3.0, 4.0]))


def test_equal_distances_are_chance():
    """Of two classes of 3, all equally far, a nearest other is of the own class 2 times in 5."""
    classes = np.repeat([0, 1], 3)
    found = retrieve(np.ones((6, 6)) - np.eye(6), classes, classes, itself=True)
    np.testing.assert_allclose(found.nearest, np.full(6, 2 / 5), rtol=0, atol=1e-15)
    np.testing.assert_allclose(found.first_tier, np.full(6, 2 / 5), rtol=0, atol=1e-15)
    np.testing.assert_allclose(found.second_tier, np.full(6, 4 / 5), rtol=0, atol=1e-15)
    np.testing.assert_allclose(found.confusion, [[6 / 5, 9 / 5], [9 / 5, 6 / 5]], atol=1e-15)


def test_who_is_alone_is_no_query_but_a_target():
    """A class of one is not scored, and is found wrongly by others."""
    distances = np.array([[0.0, 5, 1], [5, 0, 2], [1, 2, 0]])
    found = retrieve(distances, np.array([0, 0, 1]), np.array([0, 0, 1]), itself=True)
    np.testing.assert_array_equal(found.queries, [0, 1])
    np.testing.assert_array_equal(found.nearest, [0.0, 0.0])
    np.testing.assert_array_equal(found.confusion, [[0.0, 2.0], [0.0, 0.0]])


def test_queries_against_targets_leave_nothing_out():
    """Row i and column i are different things: a target at distance 0 counts."""
    found = retrieve(np.array([[0.0, 1, 2]]), np.array([0]), np.array([0, 1, 0]), itself=False)
    assert (found.nearest[0], found.first_tier[0], found.second_tier[0]) == (1.0, 0.5, 1.0)
    assert found.average_precision[0] == pytest.approx((1 + 2 / 3) / 2, abs=1e-15)
