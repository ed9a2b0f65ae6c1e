package wire

// servicePrimitives: service management, SSP 7: ssp-syntax 3.2, 5.5.
var servicePrimitives = []Structure{
	{Name: "GetServiceRequest", Section: "7.2.1", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "ServiceList", Section: "7.2.2", By: Provider, Fields: []Field{
		elem("MetaInfo", "MetaInfo", maybe, C, "Meta-Information").when(whenRequest),
		elem("Status", "Status", maybe, C, "Status-Info").when(whenResponse),
		elem("Services", "Services", one, M, "Service-List"),
	}},
	{Name: "ServiceNegotiation", Section: "7.2.3", By: Requestor, Fields: []Field{
		attr("subProtocol", tString, maybe, O, "Desired-Sub-Protocol"),
		attr("timeToLive", tLife, maybe, O, "Time-to-live"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("Services", "Services", one, M, "Desired-Service-List"),
	}},
	{Name: "ServiceAgreement", Section: "7.2.4", By: Provider, Fields: []Field{
		attr("subProtocol", tString, maybe, O, "Agreed-Sub-Protocol"),
		attr("timeToLive", tLife, maybe, O, "Agreed-Time-to-live"),
		elem("Status", "Status", one, M, "Status-Info"),
		elem("Services", "Services", one, M, "Agreed-Service-List"),
	}},
}

// serviceTransactions are those of the same chapter.
var serviceTransactions = []Transaction{
	{Name: "GetAvailableService", Section: "7.3.1", Needs: "SAPFeature/ServiceNegotiation", Steps: []Step{{Requestor, "GetServiceRequest"}, {Provider, "ServiceList"}}},
	{Name: "ServiceIndication", Section: "7.3.2", Needs: "SAPFeature/ServiceNegotiation", Steps: []Step{{Provider, "ServiceList"}}},
	{Name: "SetServiceAgreement", Section: "7.3.3", Needs: "SAPFeature/ServiceNegotiation", Steps: []Step{{Requestor, "ServiceNegotiation"}, {Provider, "ServiceAgreement"}}},
}
