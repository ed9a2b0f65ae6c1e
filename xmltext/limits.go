package xmltext

import "math"

// Limits bounds one element below the root of a stream, the header of a stream, or one document. A field that is 0 or
// less means the default.
type Limits struct {
	// Bytes of it, from "<" to ">"; default 262,144, at most 2 GiB. RFC 6120 13.12 wants 10,000 at least.
	Bytes int
	// Depth of elements in one another, itself included; default 64.
	Depth int
	// Attrs is how many attributes an element may have, declarations of namespaces included; default 64.
	Attrs int
	// Nodes is how many elements and runs of text there may be; default 8,192. Each costs 56 bytes of memory.
	Nodes int
	// Name is how many bytes a name may have, its prefix included; default 256, at most 65,535.
	Name int
}

// mostDeclared bounds how many declarations are in force at one place, so that looking up a prefix is cheap.
const mostDeclared = 256

// filled is l with the defaults in their places.
func (l Limits) filled() Limits {
	fill := func(n *int, usual, most int) {
		if *n <= 0 {
			*n = usual
		}
		*n = min(*n, most)
	}
	fill(&l.Bytes, 256<<10, math.MaxInt32)
	fill(&l.Depth, 64, math.MaxInt32)
	fill(&l.Attrs, 64, math.MaxInt32)
	fill(&l.Nodes, 8192, math.MaxInt32)
	fill(&l.Name, 256, math.MaxUint16)
	return l
}
