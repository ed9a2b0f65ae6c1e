package passport

import (
	"net/http"

	"parley/xmltext"
)

// messengerPath is where clients from 6.0 ask what there is besides the conversation: dialects 3.5.
const messengerPath = "/config/msgrconfig.asmx"

// messengerSpace is the space of the answer to who asks by SOAP.
const messengerSpace = "http://www.msn.com/webservices/Messenger/Client"

// Messenger tells clients from 6.0 what there is besides the conversation: nothing but a page, which takes the place of
// MSN Today, and none if URL is empty. It is an http.Handler for /Config/MsgrConfig.asmx, without passwords, and to be had
// without TLS: that is how clients ask. dialects 3.5.
//
// COMPAT MSN 6.0-7.5: what clients need of the document is not known. All that was on live servers (tabs, searches,
// phones) may be missing: a client without any answer at all works too.
type Messenger struct{ URL string }

func (m Messenger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		write(w, append([]byte(declaration), m.document()...))
	case http.MethodPost: // the answer is the same, whatever the question
		b := xmltext.Build([]byte(declaration))
		b.Start("soap:Envelope").Attr("xmlns:soap", nsSOAP).Start("soap:Body")
		b.Start("GetClientConfigResponse").Attr("xmlns", messengerSpace)
		b.Start("GetClientConfigResult").Text(string(m.document()))
		write(w, b.Bytes())
	default:
		w.Header()["Allow"] = []string{"GET, HEAD, POST"}
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// document is what there is. It is to be asked for anew at each login.
func (m Messenger) document() []byte {
	b := xmltext.Build(nil)
	b.Start("MsgrConfig")
	b.Start("Simple")
	b.Start("Config").Start("ExpiresInDays").Text("0").End().End()
	leaf(&b, "DisablePhoneDialer", "1")
	b.Start("Relay").Start("Enabled").Text("0").End().End()
	b.End()
	b.Start("TabConfig").Start("msntabdata").End().End()
	b.Start("LocalizedConfig").Attr("Market", "en-US")
	if m.URL != "" {
		b.Start("MsnTodayConfig").Start("MsnTodayURL").Text(m.URL).End().End()
	}
	b.End()
	return b.Bytes()
}
