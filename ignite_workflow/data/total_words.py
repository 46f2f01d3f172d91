"""Words for totals and averages, as they stand in front of a row that sums up others."""

from __future__ import annotations

__all__ = ["bare_word", "statistic_of"]

_SUMS = (
    *("total", "totals", "all", "grand total", "sum total", "total sum", "subtotal", "sub-total", "sub total", "sum"),
    *("summe", "gesamt", "gesamtsumme", "insgesamt", "endsumme", "somme", "total général", "total general", "suma"),
    *("suma total", "soma", "totale", "totaal", "totalt", "razem", "celkem", "итого", "всего", "合计", "合計", "总计"),
)
_MEANS = (
    *("average", "averages", "mean", "avg", "durchschnitt", "mittelwert", "mittel", "moyenne", "promedio", "media"),
    *("média", "gemiddelde", "среднее"),
)
_STATISTICS = {
    **dict.fromkeys(_SUMS, "sum"),
    **dict.fromkeys(_MEANS, "mean"),
    **dict.fromkeys(("min", "minimum"), "smallest"),
    **dict.fromkeys(("max", "maximum"), "largest"),
}


def bare_word(cell: str) -> str:
    """A word without what stands around it, in lower case.

    Example:
        >>> bare_word(" Total: ")
        'total'
    """
    return cell.strip(" :.*").casefold()


def statistic_of(cell: str) -> str:
    """What the numbers beside a word are: sum, mean, smallest or largest of others; empty: it says nothing.

    Example:
        >>> statistic_of("Summe"), statistic_of("Avg."), statistic_of("Rome")
        ('sum', 'mean', '')
    """
    return _STATISTICS.get(bare_word(cell), "")
