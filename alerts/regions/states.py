"""Abbreviations of states and provinces as English news writes them behind a town: "Lebanon, Pa." and "Lodi, CA"."""

from __future__ import annotations

_WRITTEN = (
    "AL ala,AK alaska,AZ ariz,AR ark,CA calif,CO colo,CT conn,DE del,DC d.c,FL fla,GA ga,HI hawaii,ID idaho,IL ill,IN ind,IA iowa,KS kan,"
    "KS kans,KY ky,LA la,ME maine,MD md,MA mass,MI mich,MN minn,MS miss,MO mo,MT mont,NE neb,NV nev,NH n.h,NJ n.j,NM n.m,NY n.y,NC n.c,"
    "ND n.d,OH ohio,OK okla,OR ore,"
    "PA pa,PA penn,RI r.i,SC s.c,SD s.d,TN tenn,TX tex,UT utah,VT vt,VA va,WA wash,WV w.va,WI wis,WI wisc,WY wyo"
)
_CANADA = "ON ont,QC que,BC b.c,AB alta,MB man,SK sask,NS n.s,NB n.b,NL nfld,PE p.e.i"


def _table() -> dict[str, str]:
    table: dict[str, str] = {}
    for country, written in (("CA", _CANADA), ("US", _WRITTEN)):
        for entry in written.split(","):
            code, short = entry.split()
            table |= {short.replace(".", ""): f"{country}-{code}", code.lower(): f"{country}-{code}"}
    return table


STATES = _table()  # folded, without dots -> ISO 3166-2
