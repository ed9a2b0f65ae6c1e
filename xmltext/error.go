package xmltext

import "fmt"

// Kind says what sort of thing is wrong with a text. It is what one needs to choose the stream error of RFC 6120.
type Kind uint8

const (
	// Malformed is what breaks the rules of XML or of its namespaces: not-well-formed, RFC 6120 4.9.3.13 and 11.3.
	Malformed Kind = iota + 1
	// Restricted is XML, but of the part not allowed here: a document type, a comment, a processing instruction, an
	// entity that is not predefined: restricted-xml, RFC 6120 4.9.3.18 and 11.1.
	Restricted
	// BadEncoding is what is not UTF-8, by its bytes or by its own word: unsupported-encoding, RFC 6120 4.9.3.22 and
	// 11.6.
	BadEncoding
	// TooLarge is what goes beyond one of the [Limits]: policy-violation, RFC 6120 4.9.3.14.
	TooLarge
)

func (k Kind) String() string {
	switch k {
	case Malformed:
		return "malformed"
	case Restricted:
		return "restricted"
	case BadEncoding:
		return "bad encoding"
	case TooLarge:
		return "too large"
	}
	return "no kind"
}

// Error is why a text was refused. All errors of this package are of this type.
type Error struct {
	Kind Kind
	// What was found, one of a closed set of phrases; it never holds anything of the text.
	What string
	// Offset is where, in bytes from the beginning of the element or of the document.
	Offset int
}

func (e *Error) Error() string { return fmt.Sprintf("XML: %s, at byte %d", e.What, e.Offset) }

// Limit names the field of [Limits] that was gone beyond: "Bytes", "Depth", "Attrs", "Nodes" or "Name"; "" when it was
// none of them.
func (e *Error) Limit() string {
	switch e.What {
	case manyBytes:
		return "Bytes"
	case manyDepth:
		return "Depth"
	case manyAttrs:
		return "Attrs"
	case manyNodes:
		return "Nodes"
	case manyName:
		return "Name"
	}
	return ""
}

// Outside says that it was text where only blanks and elements may stand: bad-format, RFC 6120 4.9.3.1.
func (e *Error) Outside() bool { return e.What == badOutside }

func fail(k Kind, what string, at int) error { return &Error{k, what, at} }

// What can be found.
const (
	badMarkup     = "'<' followed by what is neither a name nor an end tag"
	badName       = "a name with a character that none may have"
	badColon      = "a name with a colon out of place"
	badAttribute  = "an attribute without a value in quotes"
	badSpace      = "attributes with no space between them"
	badSlash      = "'/' inside a tag"
	badLess       = "'<' inside a tag"
	badEnd        = "an end tag that is not of the open element"
	badReference  = "'&' that begins no reference"
	badCharacter  = "a character that XML does not have"
	badBrackets   = "']]>' in text"
	badDuplicate  = "an attribute twice"
	badPrefix     = "a prefix that is not declared"
	badReserved   = "a declaration of a reserved prefix or namespace"
	badUndeclared = "a prefix declared as nothing"
	badOutside    = "text outside of the elements"
	badAfter      = "something after the end"
	badEarly      = "an end before the element is closed"
	badHeader     = "an XML declaration that is none of version 1.0"
	badUTF8       = "bytes that are not UTF-8"
	badEncoding   = "an encoding other than UTF-8"
	noDocType     = "a document type"
	noComment     = "a comment"
	noInstruction = "a processing instruction"
	noEntity      = "an entity that is not predefined"
	manyBytes     = "more bytes than allowed"
	manyDepth     = "elements nested deeper than allowed"
	manyAttrs     = "more attributes on an element than allowed"
	manyDeclared  = "more namespaces declared at once than allowed"
	manyNodes     = "more elements and texts than allowed"
	manyName      = "a longer name than allowed"
	manyDigits    = "a longer reference than allowed"
)
