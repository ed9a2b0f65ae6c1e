package msnp

import (
	"encoding/binary"
	"errors"
)

// Lengths of a packet of client-to-client data, in bytes: dialects 8.4.
const (
	packetHead = 48
	packetFoot = 4
	maxPacket  = 1202 // data in one
)

// Packet is the head of a packet of client-to-client data, and its foot: dialects 8.4.
type Packet struct {
	Session    uint32 // 0 while it is negotiated
	ID         uint32
	Offset     uint64 // of the data in the whole
	Total      uint64 // bytes of the whole
	Flags      uint32
	Data       []byte // a view
	Acked      uint32
	AckedID    uint32
	AckedBytes uint64
	App        uint32 // 1 display picture or emoticon, 2 file
}

// ErrPacket: what ought to be a packet has wrong lengths.
var ErrPacket = errors.New("msnp: the packet has wrong lengths")

// ParsePacket reads the body of a P2PContent: dialects 8.4. Its lengths have to agree with each other; what else it says
// is between the clients.
func ParsePacket(body []byte) (Packet, error) {
	if len(body) < packetHead+packetFoot {
		return Packet{}, ErrPacket
	}
	le := binary.LittleEndian
	data := body[packetHead : len(body)-packetFoot]
	p := Packet{
		Session: le.Uint32(body), ID: le.Uint32(body[4:]), Offset: le.Uint64(body[8:]), Total: le.Uint64(body[16:]),
		Flags: le.Uint32(body[28:]), Data: data, Acked: le.Uint32(body[32:]), AckedID: le.Uint32(body[36:]),
		AckedBytes: le.Uint64(body[40:]), App: binary.BigEndian.Uint32(body[len(body)-packetFoot:]),
	}
	n := uint64(le.Uint32(body[24:]))
	switch {
	case n != uint64(len(data)), n > maxPacket:
		return Packet{}, ErrPacket
	case n > 0 && (p.Offset > p.Total || n > p.Total-p.Offset):
		return Packet{}, ErrPacket
	}
	return p, nil
}
