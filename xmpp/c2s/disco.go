package c2s

// appendCaps appends what the service can, in short: XEP-0115 6.3.
func (s *Server) appendCaps(dst []byte) []byte { return dst }
