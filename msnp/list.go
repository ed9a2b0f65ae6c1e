package msnp

// List is one of the lists: draft 5.7. Its number is the one that later dialects add up: dialects 4.1.
type List uint8

const (
	ForwardList List = 1
	AllowList   List = 2
	BlockList   List = 4
	ReverseList List = 8
	PendingList List = 16 // from MSNP10 on: who is on the Reverse List, and was not decided about
)

// Lists are the four of MSNP2, in the order in which SYN sends them: draft 7.5.
func Lists() [4]List { return [4]List{ForwardList, AllowList, BlockList, ReverseList} }

// ParseList reads FL, AL, BL or RL, not PL. Case counts.
func ParseList(b []byte) (List, bool) {
	for _, l := range Lists() {
		if string(b) == l.String() {
			return l, true
		}
	}
	return 0, false
}

// String is the list as the wire names it: FL.
func (l List) String() string {
	switch l {
	case ForwardList:
		return "FL"
	case AllowList:
		return "AL"
	case BlockList:
		return "BL"
	case ReverseList:
		return "RL"
	case PendingList:
		return "PL"
	}
	return "no list"
}
