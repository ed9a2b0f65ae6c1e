package plays

import (
	"fmt"
	"strings"
)

// Actor is somebody in a play that is made for many dialects, who says and hears everything in the form of their own. The
// methods give lines of a play.
type Actor struct {
	Name    string
	Dialect int    // 0: of another protocol
	Able    string // what the client says it can do, from MSNP8 on
	Object  string // its picture, from MSNP9 on
	Message string // the personal one, as XML: from MSNP11 on, and of other protocols
}

// Handle is the actor's address, Shown the display name.
func (a *Actor) Handle() string { return a.Name + "@example.com" }
func (a *Actor) Shown() string  { return strings.ToUpper(a.Name[:1]) + a.Name[1:] }

// Since picks a form by dialect: the last one that begins at it or before.
func (a *Actor) Since(forms map[int]string) string {
	for d := a.Dialect; d >= 2; d-- {
		if f, ok := forms[d]; ok {
			return f
		}
	}
	return ""
}

// Change is how the actor changes their state.
func (a *Actor) Change(trID int, state string) string {
	line := fmt.Sprintf("CHG %d %s", trID, state) + a.Since(map[int]string{8: " " + a.Able, 9: " " + a.Able + " " + a.Object})
	line = strings.TrimRight(line, " ")
	return fmt.Sprintf("%s C: %s\n%[1]s S: %[2]s\n", a.Name, line)
}

// Hears is how the actor hears of somebody, by that name: with head before the state.
func (a *Actor) Hears(head, state string, of *Actor, name string) string {
	able, object, message := "0", "", ""
	if of.Dialect >= 8 {
		able = of.Able
	}
	if of.Dialect >= 9 {
		object = " " + of.Object
	}
	if of.Dialect >= 11 || of.Dialect == 0 {
		message = of.Message
	}
	line := fmt.Sprintf("%s S: %s %s %s %s", a.Name, head, state, of.Handle(), name) +
		strings.TrimRight(a.Since(map[int]string{8: " " + able, 9: " " + able + object}), " ") + "\n"
	if a.Dialect >= 11 {
		line += fmt.Sprintf("%s S: UBX %s ${len}\n  <Data><PSM>%s</PSM><CurrentMedia></CurrentMedia></Data>\n", a.Name, of.Handle(), message)
	}
	return line
}

// Add has the actor add somebody.
func (a *Actor) Add(o *Actor) string {
	return a.Since(map[int]string{
		2:  fmt.Sprintf("%s C: ADD 1 FL %s %s\n%[1]s S: ADD 1 FL ${*} %[2]s %[3]s\n", a.Name, o.Handle(), o.Shown()),
		10: fmt.Sprintf("%s C: ADC 1 FL N=%s F=%s\n%[1]s S: ADC 1 FL N=%[2]s F=%[3]s C=${guid %[2]s}\n", a.Name, o.Handle(), o.Shown()),
	})
}

// Added is how the actor hears that somebody adds them.
func (a *Actor) Added(by *Actor) string {
	return a.Since(map[int]string{
		2:  fmt.Sprintf("%s S: ADD 0 RL ${*} %s %s\n", a.Name, by.Handle(), by.Shown()),
		10: fmt.Sprintf("%s S: ADC 0 RL N=%s F=%s\n", a.Name, by.Handle(), by.Shown()),
	})
}

// Adds has the actor add somebody who lets everybody see them, and hears of it.
func (a *Actor) Adds(o *Actor) string {
	var b strings.Builder
	b.WriteString(a.Add(o))
	if 5 <= a.Dialect && a.Dialect < 10 {
		for _, p := range []string{"PHH", "PHW", "PHM", "MOB N"} {
			fmt.Fprintf(&b, "%s S: BPR ${*} %s %s\n", a.Name, o.Handle(), p)
		}
	}
	return b.String() + a.Hears("ILN 1", "NLN", o, o.Shown()) + o.Added(a)
}

// Blocks has the actor block somebody, and Unblocks let them see again.
func (a *Actor) Blocks(trID int, o *Actor) string {
	return a.Since(map[int]string{
		2:  fmt.Sprintf("%s C: ADD %d BL %s %s\n%[1]s S: ADD %[2]d BL ${*} %[3]s %[4]s\n", a.Name, trID, o.Handle(), o.Shown()),
		10: fmt.Sprintf("%s C: ADC %d BL N=%s\n%[1]s S: ADC %[2]d BL N=%[3]s\n", a.Name, trID, o.Handle()),
	})
}

func (a *Actor) Unblocks(trID int, o *Actor) string {
	return fmt.Sprintf("%s C: REM %d BL %s\n%[1]s S: REM %[2]d BL %[4]s%[3]s\n", a.Name, trID, o.Handle(), a.Since(map[int]string{2: "${*} ", 10: ""}))
}

// Renames has the actor take another name, of which somebody hears.
func (a *Actor) Renames(trID int, name string, o *Actor) string {
	return a.Since(map[int]string{
		2:  fmt.Sprintf("%s C: REA %d %s %s\n%[1]s S: REA %[2]d ${*} %[3]s %[4]s\n", a.Name, trID, a.Handle(), name),
		10: fmt.Sprintf("%s C: PRP %d MFN %s\n%[1]s S: PRP %[2]d MFN %[3]s\n", a.Name, trID, name),
	}) + o.Hears("NLN", "NLN", a, name)
}
