package wire

// condition says when a conditional information element must be there, and when it may.
type condition struct {
	name string // as the schema prints it
	code Code   // of one that must be there and is not; 0: that of any other
	test func(place) (must, may bool)
}

// place is where a structure stands.
type place struct {
	e, up    *Element // itself, and the one around it: nil for a primitive
	response bool     // the transaction's mode
}

// depends is the condition of what the receiver cannot judge from the message: it may be there.
func depends(name string) *condition {
	return &condition{name: name, test: func(place) (bool, bool) { return false, true }}
}

// only is the condition of what is there exactly when test says so.
func only(name string, test func(place) bool) *condition {
	return &condition{name: name, test: func(p place) (bool, bool) { t := test(p); return t, t }}
}

// wanted is the condition of what must be there when test says so, and may be otherwise.
func wanted(name string, code Code, test func(place) bool) *condition {
	return &condition{name, code, func(p place) (bool, bool) { return test(p), true }}
}

// allowed is the condition of what may be there only when test says so.
func allowed(name string, test func(place) bool) *condition {
	return &condition{name: name, test: func(p place) (bool, bool) { return false, test(p) }}
}

func invite(typ string) func(place) bool {
	return func(p place) bool { return p.e.Attr("inviteType") == typ }
}

// The conditions, each in the words of the tables in the semantics document; where these name none, as ssp-syntax 3
// and 9 settle it.
var (
	whenClient   = only("client originated", func(p place) bool { return p.up.Attr("clientOriginated") == Yes })
	whenRequest  = only("a request", func(p place) bool { return !p.e.Has("Status") })
	whenResponse = only("a response", func(p place) bool { return !p.e.Has("MetaInfo") })

	whenRedirect = depends("another connection pair of a session")
	whenSession  = wanted("login successful", 0, func(p place) bool { return StatusOf(p.e).Class() == 2 })
	whenAnswer   = wanted("answer to Logout", 0, func(p place) bool { return p.response })

	whenContinuing  = wanted("search continued", 0, func(p place) bool { return !p.e.Has("SearchPairList") })
	whenContinued   = only("search continued", func(p place) bool { return p.e.Has("searchID") })
	whenFirst       = allowed("first search request", func(p place) bool { return !p.e.Has("searchID") })
	whenFirstPairs  = only("first search request", func(p place) bool { return !p.e.Has("searchID") })
	whenFirstAnswer = depends("first answer")
	whenFound       = depends("there are any")

	whenGR     = only("invitation to a group", invite("GR"))
	whenPR     = allowed("invitation to presence", invite("PR"))
	whenSC     = allowed("invitation to shared content", invite("SC"))
	whenShared = depends("of an invitation to shared content")

	whenTarget = wanted("no other target", BadParameter, func(p place) bool {
		return !p.e.Has("UserID") && !p.e.Has("ContactList")
	})
	whenNoDefault = wanted("no other target", BadParameter, func(p place) bool {
		return p.e.Attr("defaultList") != Yes && !p.e.Has("UserID") && !p.e.Has("ContactList")
	})

	whenKnown  = depends("the message has one")
	whenEither = &condition{name: "one of messageID and messageURI", test: func(p place) (must, may bool) {
		id, uri := p.e.Has("messageID"), p.e.Has("messageURI")
		return !id && !uri, !id || !uri
	}}
	whenNoURI = wanted("no messageURI", 0, func(p place) bool { return !p.e.Child("MessageInfo").Has("messageURI") })
	whenSent  = depends("the message was taken")

	whenHistory     = depends("history of a group")
	whenAsked       = depends("asked for")
	whenServerLeave = wanted("started by the provider", 0, func(p place) bool { return p.e.Has("MetaInfo") })
)
