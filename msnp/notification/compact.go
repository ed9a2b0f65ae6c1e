package notification

import (
	"strconv"

	"parley/im"
	"parley/msnp"
	"parley/msnp/wire"
)

// From MSNP8 on what follows SYN has no transaction IDs and no versions, each person has one line with the sum of the
// lists that they are on, and the answer says how many lines there are: dialects 4.2, 4.3.

// syncCompact is sync with numbers of groups: dialects 4.2.
func syncCompact(b []byte, v *voice, k *known) []byte {
	on := k.onAny(inSum)
	groups := k.numbered()
	b = wire.AppendCommand(b, "SYN", k.trID, strconv.FormatInt(k.Serial, 10), strconv.Itoa(len(on)), strconv.Itoa(len(groups)))
	b = k.appendTellings(k.appendModesBare(b), v.tells)
	for _, g := range groups {
		b = wire.AppendCommand(b, "LSG", wire.NoTrID, strconv.Itoa(number(g)), msnp.Fit(g.Name, msnp.MaxGroup), "0")
	}
	return k.appendContacts(b, v, on, inSum)
}

// syncGUID is syncCompact with times for the version, the account's own name, and GUIDs: dialects 4.2, 4.3.
func syncGUID(b []byte, v *voice, k *known) []byte {
	on := k.onAny(inSumPending)
	stamp := msnp.Stamp(k.Serial)
	b = wire.AppendCommand(b, "SYN", k.trID, stamp, stamp, strconv.Itoa(len(on)), strconv.Itoa(len(k.Groups)))
	b = wire.AppendCommand(k.appendModesBare(b), "PRP", wire.NoTrID, "MFN", msnp.FitName(k.DisplayName()))
	b = k.appendTellings(b, v.tells)
	k.guids = make([]msnp.GUID, 0, len(k.Groups))
	for _, g := range k.Groups {
		guid := msnp.GroupGUID(k.Address, g.ID)
		b = wire.AppendCommand(b, "LSG", wire.NoTrID, msnp.Fit(g.Name, msnp.MaxGroup), string(guid))
		k.guids = append(k.guids, guid)
	}
	return k.appendContacts(b, v, on, inSumPending)
}

// appendHeadGUID appends the answer to a SYN of who has all: dialects 4.2. COMPAT MSN 5.0 to 7.5: without counts, as
// nothing follows; the sources have both.
func appendHeadGUID(b []byte, k *known) []byte {
	stamp := msnp.Stamp(k.Serial)
	return wire.AppendCommand(b, "SYN", k.trID, stamp, stamp)
}

// inSum is the sum of the lists that somebody is on: dialects 4.1.
func inSum(e *im.Entry) (sum msnp.List) {
	for _, l := range msnp.Lists() {
		if isOn(l, e) {
			sum += l
		}
	}
	return sum
}

// inSumPending has the Pending List in place of the Reverse List for those who were not decided about. COMPAT MSN 6.1 to
// 7.5: whether a user has seen them is not kept; who is on neither of the lists that decide is offered at each login, as
// to older clients.
func inSumPending(e *im.Entry) msnp.List {
	sum := inSum(e)
	if sum&(msnp.ReverseList|msnp.AllowList|msnp.BlockList) == msnp.ReverseList {
		sum += msnp.PendingList - msnp.ReverseList
	}
	return sum
}

// onAny is who is on any list, and can be written.
func (k *known) onAny(sum func(*im.Entry) msnp.List) []*im.Entry {
	l := make([]*im.Entry, 0, len(k.Entries))
	for _, e := range k.Entries {
		if sayable(e.Who) && sum(e) != 0 {
			l = append(l, e)
		}
	}
	return l
}

// appendModesBare is appendModes in short.
func (k *known) appendModesBare(b []byte) []byte {
	b = wire.AppendCommand(b, "GTC", wire.NoTrID, promptWord(k.Prompt))
	return wire.AppendCommand(b, "BLP", wire.NoTrID, privacyWord(k.Settings))
}

// appendTellings appends what the account tells of itself, and nothing of what is unset: dialects 4.7.
func (k *known) appendTellings(b []byte, tells []property) []byte {
	for _, p := range tells {
		if value := k.told[k.Address][p.name]; value != "" {
			b = wire.AppendCommand(b, "PRP", wire.NoTrID, p.name, msnp.Fit(value, msnp.MaxProperty))
		}
	}
	return b
}

// appendContacts appends a line for each person, and what contacts tell of themselves behind it: dialects 4.3, 4.7.
func (k *known) appendContacts(b []byte, v *voice, on []*im.Entry, sum func(*im.Entry) msnp.List) []byte {
	for _, e := range on {
		b = v.contact(b, k, e, sum(e))
		if told := k.told[e.Who]; told != nil && isOn(msnp.ForwardList, e) {
			for _, p := range v.tells {
				if value := told[p.name]; value != "" && p.shown {
					b = wire.AppendCommand(b, "BPR", wire.NoTrID, p.name, msnp.Fit(value, msnp.MaxProperty))
				}
			}
		}
	}
	return b
}

// oneName is the name that somebody is shown by where there is one for all lists: of a contact the stored one, of who is
// no contact their own.
func oneName(e *im.Entry) string {
	for _, l := range [...]msnp.List{msnp.ForwardList, msnp.ReverseList, msnp.AllowList, msnp.BlockList} {
		if isOn(l, e) {
			return listName(l, e)
		}
	}
	return e.Who.String()
}

// contact is a person with the numbers of groups: dialects 4.3.
func contact(b []byte, k *known, e *im.Entry, sum msnp.List) []byte {
	b = append(append(b, "LST "...), e.Who.String()...)
	b = append(append(append(b, ' '), msnp.FitName(oneName(e))...), ' ')
	b = strconv.AppendInt(b, int64(sum), 10)
	list := msnp.ReverseList
	if sum&msnp.ForwardList != 0 {
		list = msnp.ForwardList
	}
	return entryEndGroups(b, list, e, k.Groups)
}

// contactGUID is a person with names before what is said, and the GUIDs of groups: dialects 4.3.
func contactGUID(b []byte, k *known, e *im.Entry, sum msnp.List) []byte {
	return append(k.appendIn(appendPerson(b, e, sum), e, sum), wire.CRLF...)
}

// contactNet has besides the number of the network, of which there is one: dialects 4.3.
func contactNet(b []byte, k *known, e *im.Entry, sum msnp.List) []byte {
	return append(k.appendIn(append(appendPerson(b, e, sum), " 1"...), e, sum), wire.CRLF...)
}

// appendPerson appends a line up to the sum of the lists.
func appendPerson(b []byte, e *im.Entry, sum msnp.List) []byte {
	b = append(append(b, "LST N="...), e.Who.String()...)
	b = append(append(b, " F="...), msnp.FitName(oneName(e))...)
	if sum&msnp.ForwardList != 0 {
		b = append(append(b, " C="...), msnp.ContactGUID(e.Who)...)
	}
	return strconv.AppendInt(append(b, ' '), int64(sum), 10)
}

// appendIn appends the groups of a contact. COMPAT MSN 6.1 to 7.5: for one who is in none there is nothing, with which
// real clients are known to work.
func (k *known) appendIn(b []byte, e *im.Entry, sum msnp.List) []byte {
	if sum&msnp.ForwardList == 0 {
		return b
	}
	sep := byte(' ')
	for i, g := range k.Groups {
		if in(e, g.ID) {
			b = append(append(b, sep), k.guids[i]...)
			sep = ','
		}
	}
	return b
}
