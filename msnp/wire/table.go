package wire

// Side is one end of a connection.
type Side uint8

const (
	Client Side = iota
	Server
)

// payloads lists the verbs whose last parameter is the length of a payload, and since and until which dialects they
// are: dialects 1.3. Whether a verb is welcome is not asked here. A refused payload has to be skipped as well, or it
// would be read as commands; therefore PAG, which is refused from MSNP9 on, has no earlier end.
var payloads = []struct {
	verb         string
	from         Side
	since, until int
}{
	{"MSG", Client, 2, 12},
	{"PAG", Client, 5, 12},
	{"SDC", Client, 5, 12},
	{"QRY", Client, 6, 12},
	{"PGD", Client, 9, 12},
	{"UUX", Client, 11, 12},

	{"MSG", Server, 2, 12},
	{"NOT", Server, 5, 12},
	{"IPG", Server, 6, 12},
	{"UBX", Server, 11, 12},
	{"GCF", Server, 11, 12},
}

// HasPayload reports whether a verb carries a payload when that side sends it in that dialect. Dialect 0 stands for
// a connection that has named none: before VER, and on a switchboard, where there is no VER.
func HasPayload(verb string, from Side, dialect int) bool {
	dialect = max(dialect, 2)
	for i := range payloads {
		if p := &payloads[i]; p.verb == verb && p.from == from {
			return p.since <= dialect && dialect <= p.until
		}
	}
	return false
}

// personalPayload is what a personal message may have at least, in bytes, whatever a message may: dialects 1.3.
const personalPayload = 4096

// limit is how many bytes the payload of a verb may have.
func (f *Framing) limit(verb string) int {
	if verb == "UUX" {
		return max(f.payload(), personalPayload)
	}
	return f.payload()
}

// known holds every verb of MSNP2 to MSNP12 (dialects 2.7), so that reading one allocates nothing.
var known = func() map[string]string {
	m := make(map[string]string)
	for _, v := range []string{
		"ACK", "ADC", "ADD", "ADG", "ANS", "BLP", "BPR", "BYE", "CAL", "CHG", "CHL", "CVQ", "CVR", "FLN", "FND",
		"GCF", "GTC", "ILN", "IMS", "INF", "IPG", "IRO", "JOI", "LSG", "LST", "MSG", "NAK", "NLN", "NOT", "OUT",
		"PAG", "PGD", "PNG", "PRP", "QNG", "QRY", "REA", "REG", "REM", "RMG", "RNG", "SBP", "SBS", "SDC", "SND",
		"SYN", "UBX", "URL", "USR", "UUX", "VER", "XFR",
	} {
		m[v] = v
	}
	return m
}()
