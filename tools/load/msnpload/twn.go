package main

import (
	"fmt"
	"strconv"
	"strings"
)

// firstTWN is the first dialect that logs in with a ticket, and has the compact SYN.
const firstTWN = 8

// What a client of the year 2005 says of itself: capabilities, a display picture, and a personal message.
const (
	capabilities = "1073791084"
	object       = "%3Cmsnobj%20Creator%3D%22#%22%20Size%3D%2225235%22%20Type%3D%223%22%20Location%3D%22uexA4DE.dat%22" +
		"%20Friendly%3D%22AAA%3D%22%20SHA1D%3D%22vP1ppB+xiFQ8ceZivRe0uCaYLIU%3D%22%20SHA1C%3D%22PApbbjkbDSGrt3ybGHRKNaZ8s%2Fw%3D%22%2F%3E"
	personal = "<Data><PSM>out for lunch</PSM><CurrentMedia></CurrentMedia></Data>"
)

// twnSteps are those of a login with a ticket, from MSNP8 on: its last answer, or a referral.
func twnSteps(w *wire, t terms, a account) ([]string, error) {
	f, err := w.ask("CVR", "0x0409", "winnt", "5.1", "i386", "MSNMSGR", "7.5.0324", "MSMSGS", a.handle)
	if err != nil || f[0] == "XFR" {
		return f, err
	}
	if f, err = w.ask("USR", "TWN", "I", a.handle); err != nil || f[0] == "XFR" {
		return f, err
	}
	if len(f) < 5 || f[3] != "S" {
		return nil, fmt.Errorf("no policy: %v", f)
	}
	return w.ask("USR", "TWN", "S", t.ticket(a))
}

// synCompact is syn from MSNP8 on: the answer says how many lines there are, which have no transaction IDs.
func (s *session) synCompact() (entries int, err error) {
	args := []string{"0"}
	if s.dialect >= 10 {
		args = append(args, "0")
	}
	f, err := s.ask("SYN", args...) // SYN trid version [version] contacts groups
	if err != nil {
		return 0, err
	}
	if len(f) < 4+len(args) {
		return 0, nil // nothing new
	}
	total, err := strconv.Atoi(f[len(f)-2])
	if err != nil || total < 0 {
		return 0, fmt.Errorf("bad SYN: %v", f)
	}
	for entries < total {
		line, _, err := s.read()
		if err != nil {
			return entries, fmt.Errorf("SYN lists: %w", err)
		}
		if strings.HasPrefix(string(line), "LST ") {
			entries++
		}
	}
	return entries, nil
}

// state is what follows the transaction ID in CHG: MSNP8 and later have capabilities, MSNP9 and later a picture.
func (s *session) state(word string) []string {
	switch {
	case s.dialect < firstTWN:
		return []string{word}
	case s.dialect == firstTWN:
		return []string{word, capabilities}
	}
	return []string{word, capabilities, strings.Replace(object, "#", strings.Replace(s.handle, "@", "%40", 1), 1)}
}

// tell says the personal message, which there is from MSNP11 on.
func (s *session) tell() error {
	if s.dialect < 11 {
		return nil
	}
	s.trid++
	id := strconv.Itoa(s.trid)
	if _, err := fmt.Fprintf(s.Conn, "UUX %s %d\r\n%s", id, len(personal), personal); err != nil {
		return err
	}
	_, err := s.await(id)
	return err
}

// addition is the command that puts somebody on a list.
func (s *session) addition(list, handle string) (verb string, args []string) {
	switch {
	case s.dialect < 10:
		return "ADD", []string{list, handle, handle}
	case list == "FL":
		return "ADC", []string{list, "N=" + handle, "F=" + handle}
	}
	return "ADC", []string{list, "N=" + handle}
}

// capabilityFields is by how much lines about who is in a conversation are longer: MSNP12 has capabilities there.
func capabilityFields(dialect int) int {
	if dialect >= 12 {
		return 1
	}
	return 0
}
