"""Whose English a local text is written in: offices, courts, schools and money that only one country calls so.

Local news names towns without their country: "Dover council" is in Delaware where a sheriff and a school district stand beside
it, in Kent where a magistrate does. The words are of general knowledge of each country's offices, not of any text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from alerts.regions.line import Line

_WORDS = {
    "US": "sheriff,sheriffs,trooper,troopers,alderman,aldermen,selectman,selectmen,medicaid,turnpike,twp,township,sophomore,freshman,gop,"
    "fbi,touchdown,homecoming,valedictorian,realtor,pta,ymca,county commissioners,county commissioner,county commission,district attorney,"
    "grand jury,school district,school board,high school,junior high,elementary school,middle school,junior college,community college,"
    "city council,city manager,town hall,city hall,fire department,fire chief,police chief,police department,state police,state patrol,"
    "highway patrol,public defender,attorney general,funeral home,memorial day,labor day,"
    "interstate,little league,state trooper,state troopers",
    "GB": "councillor,councillors,borough,constabulary,magistrates,pensioner,nhs,tory,tories,"
    "motorway,motorist,motorists,gcse,pcso,tfl,pence,"
    "holidaymakers,crown court,borough council,county council,parish council,labour,lib dem,lib dems,grammar school,ofsted,mp,mps,quid,"
    "city centre,town centre,railway station",
    "CA": "rcmp,mountie,mounties,opp,loonie,mla,mpp,first nation,first nations,city council,high school,reeve",
    "AU": "nrl,afl,nsw,qld,tafe,shire,high school,magistrates",
    "NZ": "maori,iwi,kiwi,kiwis,marae,rugby union",
    "IE": "garda,gardai,dail,taoiseach,county council,rte",
    "IN": "lakh,lakhs,crore,crores,tehsil,taluk,panchayat,mla,mlas,gram,zilla,sarpanch,bjp",
    "PK": "tehsil,lakh,crore,levies,fia",
    "ZA": "saps,rand,anc,township,metro police",
    "NG": "naira,lga,apc,pdp,emir",
    "PH": "barangay,sitio,barangays,purok",
    "KE": "shilling,ksh,matatu,mca,sub county",
}  # fmt: skip
_COUNTRIES: dict[str, tuple[str, ...]] = {}
for _country, _text in _WORDS.items():
    for _word in _text.split(","):
        _COUNTRIES[_word] = (*_COUNTRIES.get(_word, ()), _country)
_FIRST = frozenset(word.partition(" ")[0] for word in _COUNTRIES if " " in word)
_LEAST = 1.0  # a word of one country alone, or two that it shares


def country_of(lines: Iterable[Line]) -> str:
    """ISO 3166-1 code of the country whose offices the text names; empty when it names none, or those of two alike."""
    words = [word for line in lines for word in line.words]
    said = _COUNTRIES.keys() & words
    if not _FIRST.isdisjoint(words):
        said |= {f"{one} {other}" for one, other in pairwise(words) if one in _FIRST} & _COUNTRIES.keys()
    if not said:
        return ""
    votes: dict[str, float] = defaultdict(float)
    for word in said:
        for country in _COUNTRIES[word]:
            votes[country] += 1 / len(_COUNTRIES[word])
    (best, most), (_, next_most) = [*sorted(votes.items(), key=lambda vote: -vote[1]), ("", 0.0)][:2]
    return best if most >= _LEAST and most > next_most else ""
