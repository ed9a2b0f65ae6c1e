package wire

// sessionPrimitives: sessions, SSP 6, and the Status that answers everything, SSP 5: ssp-syntax 3.1, 5.1.
var sessionPrimitives = []Structure{
	{Name: "Status", Section: "5.2", By: Either, Fields: []Field{
		attr("code", tCode, one, M, "Status-code"),
		elem("StatusDescription", tText, maybe, O, "Status-description"),
		elem("DetailedResult", "DetailedResult", many, X, ""),
		elem("TryAgainTimeout", tInt, maybe, X, "").in13(),
	}},
	{Name: "SendSecretToken", Section: "6.2.1", By: Either, Fields: []Field{
		attr("serviceID", tService, one, M, "Service-ID"),
		attr("protocol", tProtocol, one, M, "Protocol"),
		attr("protocolVersion", tString, one, M, "Protocol-Version"),
		elem("SecretToken", "Encoded", one, M, "SecretToken"),
	}},
	{Name: "LoginRequest", Section: "6.2.2", By: Either, Fields: []Field{
		attr("sessionID", tString, maybe, C, "Session-ID").when(whenRedirect),
		attr("serviceID", tService, one, M, "Service-ID"),
		attr("timeToLive", tLife, maybe, O, "Time-To-Live"),
		elem("PasswordDigest", "Encoded", one, M, "Password-Digest"),
	}},
	{Name: "LoginResponse", Section: "6.2.3", By: Either, Fields: []Field{
		attr("sessionID", tString, maybe, M, "Session-ID(Status-Info)").when(whenSession),
		attr("timeToLive", tLife, maybe, O, "Time-To-Live"),
		elem("Status", "Status", one, M, "Status-Info"),
		elem("ListOfHosts", "ListOfHosts", maybe, O, "List-of-Hosts"),
	}},
	{Name: "LogoutRequest", Section: "6.2.4", By: Requestor},
	{Name: "Disconnect", Section: "6.2.5", By: Provider, Fields: []Field{
		elem("Status", "Status", maybe, C, "Status-Info").when(whenAnswer),
	}},
	{Name: "KeepAliveRequest", Section: "6.2.6", By: Requestor, Fields: []Field{
		attr("timeToLive", tLife, maybe, O, "Time-to-live"),
	}},
	{Name: "KeepAliveResponse", Section: "6.2.7", By: Provider, Fields: []Field{
		attr("timeToLive", tLife, maybe, O, "Time-to-live"),
		elem("Status", "Status", one, M, "Status-Info"),
	}},
}

// sessionTransactions are those of the same chapter.
var sessionTransactions = []Transaction{
	{Name: "Login", Section: "6.3.1", Steps: []Step{{Provider, "SendSecretToken"}, {Requestor, "LoginRequest"}, {Provider, "LoginResponse"}}},
	{Name: "Logout", Section: "6.3.2", Steps: []Step{{Requestor, "LogoutRequest"}, {Provider, "Disconnect"}}},
	{Name: "Disconnect", Section: "6.3.3", Steps: []Step{{Provider, "Disconnect"}}},
	{Name: "KeepAlive", Section: "6.3.4", Steps: []Step{{Requestor, "KeepAliveRequest"}, {Provider, "KeepAliveResponse"}}},
}
