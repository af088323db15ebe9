"""The dictionary form of a word: particles off its front, case endings off its end; used when a word is no name as it is.

One table for each language (or script, when the text's language is unknown): an ending, and what stands in its place in
the dictionary form. Words are folded (no diacritics, one form of each Arabic letter).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alerts.text.normalise import fold

_Rules = tuple[tuple[str, tuple[str, ...]], ...]


def _rules(text: str) -> _Rules:
    """ "ov=,a e=a" -> remove ov and add nothing or a; remove e and add a. Longer endings first."""
    pairs = [entry.partition("=") for entry in fold(text).split()]
    return tuple(sorted(((end, tuple(new.split(","))) for end, _, new in pairs), key=lambda rule: -len(rule[0])))


_RUSSIAN = _rules(
    "ами=ы,и ями=и ах=ы,и ях=и ого=ое,ый ой=а,ая ей=а,я,ь ом=,о ым=ый,о ем=ь,е,й,о ей=я,и,ь ою=а ии=ия ию=ия ией=ия ия=ий ы=а у=,а,о"
    " ю=я,й,ь е=,а,о,ь,я,й"
    " а=,о и=а,я,ь,й я=ь,й,е ов=ы ям=и ам=ы"
)
_UKRAINIAN = _rules(
    "ом=,о ою=а ею=я ем=ь єю=я єві=їв єва=їв єву=їв єм=їв ові=ів ова=ів ову=ів ом=,о у=,а,о ю=я,ь,й ії=ія ію=ія ією=ія"
    " і=,а,о,я,ь ї=я,й и=а,і а=,о я=ь,й,е"
    " ами=и ах=и ів=и оді=од ові=ов ькові=ьків ькова=ьків ькову=ьків еві=ев евом=ев евом=їв ському=ськ"
)
_SERBIAN = _rules("ом=,а,о ем=е,ь и=а,и у=,а,о е=а,и а=,о ама=е ој=а oj=a om=,a,o em=e i=a u=,a,o e=a,i a=,o ama=e ima=i")
_SLAVIC = _rules(
    "ach=y,e,i ech=y,e,i ami=y,i ich=e owie=ow ou=a ow=y em=,o,e om=,o ie=a,,o iej=a iem= ego=y u=,o,a a=,o,e e=a,,o i=a,,e"
    " y=a, o=a ii=ia ji=ja ja=ja jo=ja"
    " ji=je ze=ga ce=ka dze=da rze=r,ra sku=sko,sk cie=t,ta rzu=rz ska=sk,sko skem=sko sky=sko siu=s ni=n nie=n,na,nia pa=p na=n"
)
_TABLES: Mapping[str, _Rules] = {
    "ru": _RUSSIAN, "be": _RUSSIAN, "bg": _rules("та= ът= а= ия=ия ски="), "mk": _rules("та= от="), "uk": _UKRAINIAN,
    "sr": _SERBIAN, "hr": _SERBIAN, "bs": _SERBIAN, "sh": _SERBIAN, "sl": _SERBIAN,
    "pl": _SLAVIC, "cs": _SLAVIC, "sk": _SLAVIC,
    "lt": _rules(
        "oje=a,as eje=e,ija ijoje=ija ijos=ija ija=ija iju= os=a es=e o=as,a a=as,a u=as,us ui=as ai=ai uose=ai io=is yje=is"
        " ams=ai a=a"
    ),
    "lv": _rules("ija=ija ijas=ija ijai=ija iju=ija as=a ai=a u=a,s a=s,a e=e es=e ei=e i=e,i is=is am=s os=i"),
    "et": _rules("sse=,s s= st= le= l= lt= ga= ni= na= sse= i=i is=i"),
    "fi": _rules("ssa= ssa=a sta= an=a lla= lta= lle= n= en= in=i on=o ssa= iin=i"),
    "hu": _rules(
        "ban= ben= ba= be= bol= rol= on= en= an=a ra= re= nak= nek= t= ot= et= val= vel= i= hoz= hez= tol= aba=a aban=a ara=a"
        " abol=a anak=a"
    ),
    "ro": _rules("ei=a,ia iei=ia ul= ului= a=a"),
    "tr": _rules(
        "da= de= ta= te= dan= den= tan= ten= ya= ye= a= e= in= un= nin= nun= nda=,i nde=,i ndan=,i yi= yu= i= u= li= lu= deki="
        " daki= taki= nin= ini="
        " ine=,i ina=,i ler= lar= lere= lara= leri= lari= lerin= larin="
        " lerle= larla= lerden= lardan= lerde= larda= la= le= yla= yle= nda= nde="
    ),
    "az": _rules("da= de= dan= den= a= e= in= un= nin= ya= ye= i= u="),
    "el": _rules("ου=ος,ο ο=ος ον=ος ας=α ης=η ων=οι,ες,α αν=α ην=η ις=ι υ=ς ους=οι"),
    "sq": _rules("n= ne= s= se= it= t= in= es=a"),
    "de": _rules("s= er= ern=er"),
    "nl": _rules("s= se= er="), "sv": _rules("s="), "da": _rules("s="), "no": _rules("s="), "nb": _rules("s="),
    "hi": _rules("ों= ी= ियों= के= ाई=ा, याई=या ियाई=िया ीय= वासी= वासियों= में= से= को="), "mr": _rules("ात= ला= ने= च्या= ाने= ातील= मध्ये= ी="),
    "bn": _rules(
        "ের= র= ে= তে= কে= য়= এর= েও= রা= ি= ীয়= য়ের= ের=া েতে= দের= সহ= থেকে= ী= েই= "
        "েরও= তেও= েতেই= ার=া ায়=া ায়ও=া িদের= টি= বাসী= গামী= মুখী= ভিত্তিক="
    ),
    "fa": _rules("ي= ها= هاي= يها= ان= يان= يي=ا, اي=ا, هاي=,ه يها= يهاي= ش= شان="),
    "ur": _rules("ي= وں= يوں= ئي= وں=ا"),
    "he": _rules("י= ית= ים= יים= יות= יה=יה"),
    "ta": _rules("வில்= ில்= ின்= ால்= ுக்கு="),
    "ka": _rules("ში=ი,ა,ე ის=ი ს=ი,ა,ე მა=ი დან=ი,ა,ე ში= ზე=ი,ა,ე თან=ი,ა,ე მ=ი,ა ით=ი ად=ი"),
    "hy": _rules("ում= ի= ից= ն= ին= ի=ա իայում=իա իայի=իա իայից=իա ը="),
}  # fmt: skip
# What is written onto the front of a word: Arabic and, so, in, for, like; Hebrew and, in, to, from, the, that.
_ARABIC = ("وبال", "وب", "ول", "فب", "و", "ف", "ب", "ل", "ك")
_HEBREW = ("שב", "שה", "וב", "ול", "ומ", "וה", "מה", "ש", "ו", "ב", "ל", "מ", "ה", "כ")
_BY_SCRIPT = {"cyrillic": "ru", "hebrew": "he", "bengali": "bn", "devanagari": "hi", "greek": "el"}


def inflects(language: str | None) -> bool:
    """Whether Latin words of the language are worth undoing."""
    return language in _TABLES


def dictionary_forms(word: str, language: str | None) -> Iterator[str]:
    """Forms that the word may be an inflection of, the likeliest first; empty for words too short."""
    first = word[0]
    if "\u0620" <= first <= "\u06ff":
        yield from _unprefixed(word, _ARABIC)
        if word.startswith("لل"):
            yield "ال" + word[2:]
    elif "\u05d0" <= first <= "\u05ea":
        yield from _unprefixed(word, _HEBREW)
    tag = language if language and language in _TABLES else _BY_SCRIPT.get(_script(first), "")
    rules = _TABLES.get(tag, ())
    shortest = 4 if word.isascii() else 2
    for ending, others in rules if tag != "uk" else (*rules, *_RUSSIAN):
        if word.endswith(ending) and len(word) - len(ending) >= shortest:
            stem = word[: -len(ending)]
            yield from (stem + other for other in others if len(stem + other) >= (4 if word.isascii() else 3))


def _unprefixed(word: str, prefixes: tuple[str, ...]) -> Iterator[str]:
    for prefix in prefixes:
        rest = word.removeprefix(prefix)
        if rest != word and len(rest) >= 3:
            yield rest


def _script(char: str) -> str:
    if "\u0400" <= char <= "\u052f":
        return "cyrillic"
    if "\u0590" <= char <= "\u05ff":
        return "hebrew"
    if "\u0980" <= char <= "\u09ff":
        return "bengali"
    if "\u0900" <= char <= "\u097f":
        return "devanagari"
    return "greek" if "\u0370" <= char <= "\u03ff" else ""
