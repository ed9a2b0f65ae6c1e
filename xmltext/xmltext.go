// Package xmltext reads and writes XML as text that stays where it is: a scanner over the bytes of a stream that
// gives one element after the other as it stood, with a flat index of what is in it, and a writer that appends to a
// byte slice. It knows nothing of messaging.
//
// What it reads is XML 1.0 (fifth edition) with Namespaces 1.0, in UTF-8, without document types, comments,
// processing instructions and entities of one's own (RFC 6120 11.1); nothing is validated.
//
// A [Scanner] belongs to one stream and is small; a [Doc] is the index of one element and may be used for one stream
// after the other. Both belong to one goroutine. Neither copies: a [Node] and all byte slices it gives point into
// the caller's buffer, are not to be changed, and are good until the buffer or the Doc is used again. What is to
// last longer is copied by whoever keeps it.
package xmltext
