"""What the findings about a ship's identity say and do not say, in plain sentences.

The sentences follow the rules in `detectors.rules.identity`; whoever changes a rule reads them again.
"""

from typing import Final

from detectors.report.meaning import Meaning

IDENTITY: Final[tuple[Meaning, ...]] = (
    Meaning(
        kind="invalid_mmsi",
        title="MMSI of no state",
        says="The MMSI begins with three digits that no state has, or has the form of something that is no ship.",
        does_not_say="Which state the ship belongs to, or that the digits were chosen to hide it.",
        innocent="Sets left as they were delivered, typing errors, digits assigned to a state since the table of "
        "2023. Small craft and net buoys carry odd numbers, and weigh next to nothing.",
        check="The ITU's current list of digits and its ship-station register (MARS); the flag state that the ship "
        "claims on paper.",
    ),
    Meaning(
        kind="invalid_imo",
        title="IMO number with a wrong check digit",
        says="For an hour or more the ship sent an IMO number whose last digit does not follow from the other six.",
        does_not_say="That the ship has another identity.",
        innocent="One digit mistyped when the set was programmed. Of 10,631 craft in a sample from US waters 149 sent "
        "such a number, most of them tugs.",
        check="The ship's name and call sign in IMO GISIS or Equasis; the number marked on her hull.",
    ),
    Meaning(
        kind="imo_dropped",
        title="IMO number no longer sent",
        says="For three hours or more the ship sent full statements without the IMO number that she had sent for a "
        "day or longer, while her name or call sign went on.",
        does_not_say="Why the number is gone.",
        innocent="A set replaced, reset or half programmed; a provider that leaves the field out, which then befalls "
        "many ships at once.",
        check="Another provider's static messages for the same days; the number marked on the hull.",
    ),
    Meaning(
        kind="imo_change",
        title="One IMO number after another",
        says="Under one MMSI the ship sent one IMO number and then another, each for an hour or longer. The number "
        "stays with a hull for life.",
        does_not_say="Which of the two is hers, or who typed it.",
        innocent="A typing error put right, which weighs little; an MMSI that was passed on to another ship.",
        check="Both numbers in IMO GISIS or Equasis: name, length, year and owner of each; the number marked on the "
        "hull.",
    ),
    Meaning(
        kind="name_change",
        title="Another name",
        says="The ship began to send another name. It weighs more if she was under way, near in time to a stay in "
        "watched waters, or if the old name came back.",
        does_not_say="What is painted on the bow, or why the name was changed.",
        innocent="Most renames follow a sale or a charter; a crew may type the new name only after sailing.",
        check="Former names and their dates in IMO GISIS or Equasis; the synopsis record that the ship carries of her "
        "names, flags and owners; the flag state's register.",
    ),
    Meaning(
        kind="call_sign_change",
        title="Another call sign",
        says="The ship began to send another call sign. It weighs more under way, near in time to a stay in watched "
        "waters, or if the old one came back.",
        does_not_say="That either was not hers to use.",
        innocent="A new flag brings a new call sign; one letter that differs is a typing error, and weighs little.",
        check="The ship-station register of the ITU (MARS) and the flag state's.",
    ),
    Meaning(
        kind="flag_change",
        title="Another flag",
        says="An IMO number that was sent under one state's MMSI is now sent under another state's. It weighs more at "
        "sea, near in time to a stay in watched waters, and where several such changes follow each other.",
        does_not_say="That the new flag did not accept her.",
        innocent="Most changes of flag are lawful, and every one of them changes the MMSI.",
        check="The new flag's register: registered, provisional, or denied; the history of flags in IMO GISIS or "
        "Equasis and in the ship's synopsis record.",
    ),
    Meaning(
        kind="type_change",
        title="Another type of ship",
        says="The ship began to say that she is of another type, such as a fishing vessel where she was a tanker.",
        does_not_say="What she is. The type is one code, typed by hand.",
        innocent="A wrong code put right, a set programmed anew, a conversion.",
        check="Her type and tonnage in IMO GISIS or Equasis; draught and length that do not fit the claimed type; a "
        "picture of her.",
    ),
    Meaning(
        kind="dimension_change",
        title="Another size",
        says="The length or breadth that the ship sends changed by more than retyping explains: a tenth of the length "
        "and ten metres, or a quarter of the breadth and four metres.",
        does_not_say="That it is another hull.",
        innocent="The distances from the aerial to bow, stern and sides typed anew or mended; a tug that adds the "
        "length of its tow; a conversion.",
        check="Length and breadth in the registers; the length measured on a satellite picture.",
    ),
    Meaning(
        kind="flag_call_sign_mismatch",
        title="Call sign of another state",
        says="The call sign is from the series of one state, the MMSI has the digits of another.",
        does_not_say="Which of the two flags is hers.",
        innocent="After a change of flag the two are not always programmed at once; one of them may be mistyped.",
        check="Both states' registers, and the ship-station register of the ITU (MARS).",
    ),
    Meaning(
        kind="shared_mmsi",
        title="One MMSI in two places",
        says="Reports under one MMSI came from two places, ten nautical miles or more apart, at once. Where the data "
        "allow, the likely true bearer is named with a probability, and weighs a tenth.",
        does_not_say="That either used the number on purpose. The one named as true bearer may be wrong.",
        innocent="Sets left at a number of the factory, a number typed in twice, disturbed satellite positioning, "
        "feeds that were joined wrongly.",
        check="The state whose digits the number has: whom was it given to; size, type and names sent on each of the "
        "two tracks.",
    ),
    Meaning(
        kind="imo_twin",
        title="One IMO number in two places",
        says="One IMO number was sent under two MMSI from places that no one ship can reach in the time. Where the "
        "data allow, the likely true bearer is named with a probability, and weighs a tenth.",
        does_not_say="Which hull is which. A bearer that nobody hears lets the copy look like the original.",
        innocent="A mistyped number passes the check digit one time in ten; a set from before a sale that is still "
        "switched on; data joined wrongly.",
        check="Length, type and year of the number in IMO GISIS or Equasis against what each of the two sends; "
        "pictures of both.",
    ),
    Meaning(
        kind="hull_handover",
        title="A hull under another identity",
        says="One identity fell silent, and another was first heard where and as that hull would have been, without "
        "its IMO number. The evidence lists what speaks for one hull and against it, the rivals, and a probability.",
        does_not_say="That it is one hull for certain. The probability rests on weights that are judgements.",
        innocent="By chance one ship falls silent in crowded roads as another begins; sister ships have equal sizes. "
        "A sale or a new flag keeps the IMO number, and is not told as this.",
        check="Pictures of both: hull, cranes, hatches, funnel, length; the number marked on the hull; both "
        "identities in IMO GISIS or Equasis, and what became of the first.",
    ),
    Meaning(
        kind="identity_exchange",
        title="Two hulls under each other's identity",
        says="The tracks of two numbers broke off within a week of each other, and each number then went on where the "
        "other hull was bound.",
        does_not_say="That they exchanged for certain. Of two ships side by side nothing can be told.",
        innocent="A feed that mixes two ships up, or two ships whose courses crossed while neither was heard.",
        check="Sizes, draughts and next ports of both before and after; pictures of either.",
    ),
    Meaning(
        kind="revived_identity",
        title="A silent identity back on another hull",
        says="An identity that was silent for a week or longer, or was last heard at a breakers' yard, was heard "
        "again from what seems another hull: of another size, too far off, or while the old hull goes on under "
        "another number.",
        does_not_say="That the old ship is scrapped, or who uses her numbers. Silence alone is never told as this.",
        innocent="A size mended in the set, a hull lengthened in a yard, a ship bought back from the breakers, an IMO "
        "number mistyped.",
        check="The old ship's status in IMO GISIS or Equasis (broken up, laid up, in service); breakers' lists; a "
        "picture of the ship that sends now.",
    ),
    Meaning(
        kind="near_listed_identity",
        title="One letter or digit from a listed ship",
        says="An IMO number or MMSI is one digit from one of your watch list; or a name is one letter from a listed "
        "name and the length or the call sign is the same. It is weighed by the odds against a coincidence.",
        does_not_say="That she is the listed ship.",
        innocent="Coincidence: names recur, fleets number their ships, and sister ships differ by one figure. A "
        "lawful ship's number mistyped.",
        check="Both numbers in IMO GISIS or Equasis; whether the listed ship is heard elsewhere at the same time; "
        "pictures.",
    ),
)
"""Findings of the `identity` detector."""
