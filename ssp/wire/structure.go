package wire

// structureTable are the parts that primitives are made of: ssp-syntax 2.3, 2.4, 2.5, 3.9.
var structureTable = []Structure{
	{Name: "Encoded", Text: tText, Fields: []Field{
		attr("encoding", tString, maybe, X, ""),
	}},
	{Name: "MetaInfo", Fields: []Field{
		attr("clientOriginated", tBool, one, M, "Client-Originated"),
		elem("Requestor", "Requestor", one, M, "Service-ID"),
	}},
	{Name: "Requestor", Fields: []Field{
		attr("serviceID", tService, one, M, "Service-ID"),
		elem("User", "User", maybe, C, "User-ID").when(whenClient),
	}},
	{Name: "DetailedResult", Fields: []Field{
		attr("code", tCode, one, X, "code"),
		elem("StatusDescription", tText, maybe, X, "description"),
		elem("UserID", "UserID", many, X, "user"),
		elem("GroupID", "GroupID", many, X, "group"),
		elem("ScreenName", "ScreenName", many, X, "screen-name"),
		elem("Domain", tText, many, X, "domain"),
		elem("MessageID", "MessageID", many, X, "message"),
		elem("ContactList", "ContactList", many, X, "contact-list"),
	}},
	{Name: "User", Fields: []Field{
		attr("userID", tUser, one, X, "User-ID"),
		attr("friendlyName", tString, maybe, X, "").in13(),
		elem("ClientID", "ClientID", maybe, O, "Client-ID"),
		elem("ApplicationID", "ApplicationID", maybe, X, "").in13(),
	}},
	{Name: "UserID", Fields: []Field{
		attr("userID", tUser, one, X, "User-ID"),
	}},
	{Name: "VerUserID", Fields: []Field{
		attr("userID", tUser, one, X, "User-ID"),
		attr("dateTime", tTime, maybe, O, "creation-time"),
	}},
	{Name: "GroupID", Fields: []Field{
		attr("groupID", tGroup, one, X, "Group-ID"),
	}},
	{Name: "ScreenName", Text: tText, Fields: []Field{
		attr("groupID", tGroup, one, X, "Group-ID"),
	}},
	{Name: "ContactList", Fields: []Field{
		attr("contactListID", tList, one, X, "Contact-List-ID"),
	}},
	{Name: "MessageID", Fields: []Field{
		attr("messageID", tString, maybe, X, "Message-ID").when(whenEither),
		attr("messageURI", tString, maybe, X, "Message-URI").when(whenEither),
	}},
	{Name: "ClientID", Text: tText, Fields: []Field{
		attr("url", tString, maybe, X, "Client-ID"),
		elem("ApplicationID", "ApplicationID", maybe, X, "").in13(),
	}},
	{Name: "ApplicationID", Fields: []Field{
		attr("applicationID", tString, one, X, "").in13(),
	}},
	{Name: "Party", Fields: []Field{
		elem("User", "User", many, X, "User-ID"),
		elem("GroupID", "GroupID", many, X, "Group-ID"),
		elem("ScreenName", "ScreenName", many, X, "Screen-Name"),
		elem("ContactList", "ContactList", many, X, "Contact-List-ID"),
	}},
	{Name: "Recipient", Fields: []Field{
		elem("User", "User", maybe, X, "User-ID"),
		elem("GroupID", "GroupID", maybe, X, "Group-ID"),
		elem("ScreenName", "ScreenName", maybe, X, "Screen-Name"),
		elem("ContactList", "ContactList", maybe, X, "Contact-List-ID"),
	}},
	{Name: "Sender", Fields: []Field{
		elem("User", "User", maybe, X, "User-ID"),
		elem("GroupID", "GroupID", maybe, X, "Group-ID"),
		elem("ScreenName", "ScreenName", maybe, X, "Screen-Name"),
		elem("SenderDisplay", "SenderDisplay", maybe, X, "shown-sender"),
	}},
	{Name: "SenderDisplay", Fields: []Field{
		elem("UserID", "UserID", maybe, X, "User-ID"),
		elem("GroupID", "GroupID", maybe, X, "Group-ID"),
		elem("ScreenName", "ScreenName", maybe, X, "Screen-Name"),
		elem("Name", tText, maybe, X, "name"),
	}},
	{Name: "MessageInfo", Fields: []Field{
		attr("messageID", tString, maybe, C, "Message-ID").when(whenKnown),
		attr("messageURI", tString, maybe, C, "Message-URI").when(whenKnown),
		attr("contentType", tString, maybe, M, "Content-type"),
		attr("contentName", tString, maybe, X, "").in13(),
		attr("contentSize", tInt, maybe, M, "size"),
		attr("validity", tSeconds, maybe, O, "validity"),
		elem("Recipient", "Recipient", some, M, "recipients"),
		elem("Sender", "Sender", one, M, "sender"),
		elem("DateTime", "DateTime", maybe, M, "date-and-time"),
	}},
	{Name: "DateTime", Text: tTime, Fields: []Field{
		attr("format", tString, maybe, X, "format"),
	}},
	{Name: "ContentData", Text: tText, Fields: []Field{
		attr("contentType", tString, maybe, X, "Content-type"),
		attr("encoding", tString, maybe, X, "encoding"),
	}},
	{Name: "AttributeList", Fields: []Field{
		elem("PresenceSubList", "PresenceSubList", maybe, X, "attributes"),
		elem("Attribute", tText, many, X, ""),
	}},
	{Name: "PresenceSubList", Open: true, Presence: true},
	{Name: "PresenceValue", Fields: []Field{
		attr("userID", tUser, one, M, "User-ID"),
		elem("PresenceSubList", "PresenceSubList", one, M, "values"),
	}},
	{Name: "Property", Fields: []Field{
		elem("Name", tText, one, X, "name"),
		elem("Value", tText, maybe, X, "value"),
	}},
	{Name: "GroupProperties", Fields: []Field{
		elem("Property", "Property", many, X, "properties"),
		elem("WelcomeNote", "WelcomeNote", maybe, X, "welcome-note"),
	}},
	{Name: "OwnProperties", Fields: []Field{
		elem("Property", "Property", many, X, "properties"),
	}},
	{Name: "ContactListProperties", Fields: []Field{
		elem("Property", "Property", many, X, "Display-Name,Default"),
	}},
	{Name: "WelcomeNote", Fields: []Field{
		elem("ContentData", "ContentData", one, X, "text"),
	}},
	{Name: "NameList", Fields: []Field{
		elem("Name", tText, many, X, "screen-name"),
	}},
	{Name: "NickList", Fields: []Field{
		elem("NickName", "NickName", many, X, "User-ID+Nickname"),
		elem("UserID", "UserID", many, X, "User-ID"),
	}},
	{Name: "NickName", Fields: []Field{
		elem("Name", tText, maybe, O, "Nickname"),
		elem("UserID", "UserID", one, M, "User-ID"),
	}},
	{Name: "UserIDs", Fields: []Field{
		elem("UserID", "UserID", many, X, "User-ID"),
	}},
	{Name: "JoinedUsers", Fields: []Field{
		elem("UserMapList", "UserMapList", one, X, "pairs"),
	}},
	{Name: "UserMapList", Fields: []Field{
		elem("UserMapping", "UserMapping", one, X, "pairs"),
	}},
	{Name: "UserMapping", Fields: []Field{
		elem("Mapping", "Mapping", many, X, "{User-ID,Screen-Name}"),
	}},
	{Name: "Mapping", Fields: []Field{
		elem("SName", tText, maybe, X, "Screen-Name"),
		elem("UserID", "UserID", maybe, X, "User-ID"),
	}},
	{Name: "ContentIDList", Fields: []Field{
		elem("ContentID", "ContentID", many, X, "URL"),
	}},
	{Name: "ContentID", Fields: []Field{
		attr("url", tString, one, X, "URL"),
	}},
	{Name: "DeliveryResult", Fields: []Field{
		elem("Status", "Status", one, M, "Delivery-Result"),
	}},
	{Name: "EntityUse", Fields: []Field{
		attr("inUse", tBool, one, M, "Block/Grant-List-Status"),
		elem("AddUsers", "UserIDs", maybe, O, "Block/Grant-User-ID-List"),
		elem("RemoveUsers", "UserIDs", maybe, O, "Unblock/Ungrant-User-ID-List"),
	}},
	{Name: "EntityList", Fields: []Field{
		attr("inUse", tBool, one, M, "Block/Grant-List-Status"),
		elem("UserID", "UserID", many, C, "Block/Grant-User-ID-List").when(whenFound),
	}},
	{Name: "AuthAsk", Fields: []Field{
		elem("UserID", "UserID", one, M, "Authorizing-User-ID"),
		elem("Subscribing", "SubAsk", some, M, "List-of-Subscribing-User-ID-and-Presence-Attribute-List"),
	}},
	{Name: "SubAsk", Fields: []Field{
		elem("UserID", "UserID", one, M, "Subscribing-User-ID"),
		elem("AttributeList", "AttributeList", maybe, O, "Presence-Attribute-List"),
	}},
	{Name: "AuthAnswer", Fields: []Field{
		elem("UserID", "UserID", one, M, "Authorizing-User-ID"),
		elem("Subscribing", "SubAnswer", some, M, "Subscribing-User-ID-List"),
	}},
	{Name: "SubAnswer", Fields: []Field{
		attr("acceptance", tBool, one, M, "Authorization-Result"),
		elem("UserID", "UserID", one, M, "Subscribing-User-ID"),
	}},
	{Name: "Association", Fields: []Field{
		elem("UserID", "UserID", many, X, "user"),
		elem("ContactList", "ContactList", many, X, "contact-list"),
		elem("AttributeList", "AttributeList", one, X, "attributes"),
	}},
	{Name: "DefaultAttributeList", Fields: []Field{
		elem("AttributeList", "AttributeList", one, X, "attributes"),
	}},
	{Name: "SearchPair", Fields: []Field{
		elem("SearchElement", tText, one, M, "Search-Element"),
		elem("SearchString", tText, one, M, "Search-String"),
	}},
	{Name: "SearchResult", Fields: []Field{
		elem("UserID", "UserID", many, X, "user-search"),
		elem("GroupID", "GroupID", many, X, "group-search"),
	}},
	{Name: "Profile", Fields: []Field{
		attr("userID", tUser, one, M, "User-ID"),
		elem("Property", "Property", many, M, "(name,value)"),
	}},
	{Name: "ListOfHosts", Fields: []Field{
		elem("Host", tText, some, X, "Redirect-Host-Name"),
	}},
	{Name: "Services", Fields: []Field{
		elem("SAPFeature", tAny, maybe, X, "SAP-Feature"),
		elem("CommonFeature", tAny, maybe, X, "Common-IMPS-feature"),
		elem("PresenceFeature", tAny, maybe, X, "Presence-Feature"),
		elem("IMFeature", tAny, maybe, X, "IM-Feature"),
		elem("GroupFeature", tAny, maybe, X, "Group-Feature"),
		elem("SharedContentFeature", tAny, maybe, X, ""),
	}},
}
