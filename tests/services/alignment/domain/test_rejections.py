"""The groups of which sales rejected leads, put together of the sums of the database."""

from __future__ import annotations

from services.alignment.domain.rejections import (
    GroupRejections,
    Reason,
    RejectionSum,
    rejection_report,
)


def test_the_listed_groups_come_in_their_order_with_the_most_frequent_reason_first() -> None:
    report = rejection_report(
        [
            RejectionSum(2, "", "", 1, 1),
            RejectionSum(1, "autumn", None, 4, 1),
            RejectionSum(1, "autumn", "", 2, 0),
            RejectionSum(1, "autumn", "student", 2, 0),
            RejectionSum(1, "autumn", "budget", 3, 0),
            RejectionSum(None, "", None, 5, 3),
        ]
    )

    reasons = [Reason("budget", 3), Reason("student", 2), Reason(None, 2)]
    assert report.groups == [
        GroupRejections("autumn", 11, 7, reasons),
        GroupRejections(None, 1, 1, [Reason(None, 1)]),
    ]
    assert report.total == GroupRejections(
        None, 17, 8, [Reason("budget", 3), Reason(None, 3), Reason("student", 2)]
    )
    assert (report.others, report.others_groups) == (None, 0)


def test_the_other_groups_are_summed() -> None:
    report = rejection_report(
        [RejectionSum(0, "", "budget", 7, 5), RejectionSum(0, "", None, 1, 1)]
    )

    assert report.groups == []
    assert report.others == GroupRejections(None, 8, 7, [Reason("budget", 7)])
    assert report.others_groups == 6


def test_without_handoffs_there_is_nothing() -> None:
    report = rejection_report([])

    assert report.total == GroupRejections(None, 0, 0, [])
    assert (report.groups, report.others) == ([], None)
