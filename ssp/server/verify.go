package server

import (
	"errors"

	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// verifyRows are those of VerifyUserid, SSP 9.
var verifyRows = []row{{"VerifyUseridRequest", (*Server).verify}}

// verify tells which of some addresses somebody of ours has, and since when: SSP 9.2.10, 9.2.11, 9.3.5. One that was given
// to another since the time that the request names is left out. ssp-syntax 9.
func (s *Server) verify(_ *peer, r *session.Request) error {
	answer := wire.New("VerifyUseridResponse").Add(wire.Status(wire.Successful, ""))
	for e := range r.Primitive.Children("VerUserID") {
		who, err := ssp.ParseUser(e.Attr("userID"))
		if err != nil || !s.x.Ours(who.Domain()) {
			continue
		}
		snap, err := s.x.Snapshot(s.ctx, who)
		switch {
		case errors.Is(err, im.ErrUnknownUser):
			continue
		case err != nil:
			return err
		}
		since := wire.FormatTime(snap.Created)
		if at, ok := wire.ParseTime(e.Attr("dateTime")); ok && wire.FormatTime(at) != since {
			continue
		}
		answer.Add(wire.New("VerUserID", "userID", ssp.FormatUser(who), "dateTime", since))
	}
	r.Answer(answer)
	return nil
}
