package wire

// presencePrimitives: presence, SSP 11.2, 11.3; ssp-syntax 3.6.
var presencePrimitives = []Structure{
	{Name: "SubscribeRequest", Section: "11.2.1", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("UserID", "UserID", many, C, "User-ID-List").when(whenTarget),
		elem("ContactList", "ContactList", many, C, "Contact-List-ID-List").when(whenTarget),
		elem("AttributeList", "AttributeList", maybe, O, "Presence-Attribute-List"),
	}},
	{Name: "AuthorizationRequest", Section: "11.2.2", By: Provider, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("Authorizing", "AuthAsk", some, M, "Authorizing-User-ID"),
	}},
	{Name: "AuthorizationResponse", Section: "11.2.3", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("Authorizing", "AuthAnswer", some, M, "Authorizing-User-ID"),
	}},
	{Name: "UnsubscribeRequest", Section: "11.2.4", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("UserID", "UserID", many, C, "User-ID-List").when(whenTarget),
		elem("ContactList", "ContactList", many, C, "Contact-List-ID-List").when(whenTarget),
	}},
	{Name: "PresenceNotification", Section: "11.2.5", By: Provider, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("User", "User", some, M, "Subscribing-User-ID-List"),
		elem("PresenceValue", "PresenceValue", some, M, "Presence-Value-List"),
	}},
	{Name: "GetWatcherListRequest", Section: "11.2.6", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "GetWatcherListResponse", Section: "11.2.7", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("UserID", "UserID", many, C, "User-ID-List").when(whenFound),
	}},
	{Name: "GetPresenceRequest", Section: "11.2.8", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("UserID", "UserID", many, C, "User-ID-List").when(whenTarget),
		elem("VerUserID", "VerUserID", many, C, "").in13().twin("UserID"),
		elem("ContactList", "ContactList", many, C, "Contact-List-ID-List").when(whenTarget),
		elem("AttributeList", "AttributeList", maybe, O, "Presence-Attribute-List"),
	}},
	{Name: "GetPresenceResponse", Section: "11.2.9", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info").lax13(),
		elem("PresenceValue", "PresenceValue", many, O, "Presence-Value-List"),
	}},
	{Name: "UpdatePresenceRequest", Section: "11.2.10", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("PresenceValue", "PresenceValue", some, M, "Presence-Value-List"),
	}},
	{Name: "CancelAuthRequest", Section: "11.2.11", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("UserID", "UserID", some, M, "Canceled-User-ID-List"),
	}},
}

// presenceTransactions are those of the same chapter.
var presenceTransactions = []Transaction{
	{Name: "Subscribe", Section: "11.3.1", Needs: "PresenceFeature", Steps: []Step{{Requestor, "SubscribeRequest"}, {Provider, "Status"}}},
	{Name: "ReactiveAuthorization", Section: "11.3.2", Needs: "PresenceFeature/Authorization", Complementary: true, Steps: []Step{{Provider, "AuthorizationRequest"}, {Requestor, "Status"}, {Requestor, "AuthorizationResponse"}, {Provider, "Status"}}},
	{Name: "Unsubscribe", Section: "11.3.3", Needs: "PresenceFeature", Steps: []Step{{Requestor, "UnsubscribeRequest"}, {Provider, "Status"}}},
	{Name: "PresenceNotification", Section: "11.3.4", Needs: "PresenceFeature", Steps: []Step{{Provider, "PresenceNotification"}, {Requestor, "Status"}}},
	{Name: "GetWatcherList", Section: "11.3.5", Needs: "PresenceFeature/WatcherList", Complementary: true, Steps: []Step{{Requestor, "GetWatcherListRequest"}, {Provider, "GetWatcherListResponse"}}},
	{Name: "GetPresence", Section: "11.3.6", Needs: "PresenceFeature", Steps: []Step{{Requestor, "GetPresenceRequest"}, {Provider, "GetPresenceResponse"}}},
	{Name: "UpdatePresence", Section: "11.3.7", Needs: "PresenceFeature", Steps: []Step{{Requestor, "UpdatePresenceRequest"}, {Provider, "Status"}}},
	{Name: "CancelAuthorization", Section: "11.3.8", Needs: "PresenceFeature/Authorization", Complementary: true, Steps: []Step{{Requestor, "CancelAuthRequest"}, {Provider, "Status"}}},
}
