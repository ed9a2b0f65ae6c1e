package wire

// listPrimitives: contact lists and attribute lists, SSP 10.2, 10.3; ssp-syntax 3.5.
var listPrimitives = []Structure{
	{Name: "CreateContactListRequest", Section: "10.2.1", By: Requestor, Fields: []Field{
		attr("contactListID", tList, one, M, "Contact-List-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("ContactListProperties", "ContactListProperties", maybe, O, "Contact-List-Props"),
		elem("NickList", "NickList", maybe, O, "User-List"),
	}},
	{Name: "DeleteContactListRequest", Section: "10.2.2", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("ContactList", "ContactList", some, M, "Contact-List-ID-List"),
	}},
	{Name: "GetContactListRequest", Section: "10.2.3", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "GetContactListResponse", Section: "10.2.4", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("ContactList", "ContactList", many, C, "Contact-List-ID-List").when(whenFound),
		elem("DefaultContactList", "ContactList", maybe, C, "Default-C-List-ID").when(whenFound),
	}},
	{Name: "GetListMemberRequest", Section: "10.2.5", By: Requestor, Fields: []Field{
		attr("contactListID", tList, one, M, "Contact-List-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "AddListMemberRequest", Section: "10.2.6", By: Requestor, Fields: []Field{
		attr("contactListID", tList, one, M, "Contact-List-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("NickList", "NickList", one, M, "User-List"),
	}},
	{Name: "RemoveListMemberRequest", Section: "10.2.7", By: Requestor, Fields: []Field{
		attr("contactListID", tList, one, M, "Contact-List-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("NickList", "NickList", one, M, "User-List"),
	}},
	{Name: "ContactListMemberResponse", Section: "10.2.8", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("NickList", "NickList", one, M, "User-List"),
	}},
	{Name: "GetListPropsRequest", Section: "10.2.9", By: Requestor, Fields: []Field{
		attr("contactListID", tList, one, M, "Contact-List-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "SetListPropsRequest", Section: "10.2.10", By: Requestor, Fields: []Field{
		attr("contactListID", tList, one, M, "Contact-List-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("ContactListProperties", "ContactListProperties", one, M, "Contact-List-Props"),
	}},
	{Name: "ContactListPropsResponse", Section: "10.2.11", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("ContactListProperties", "ContactListProperties", one, M, "Contact-List-Props"),
	}},
	{Name: "CreateAttrListRequest", Section: "10.2.12", By: Requestor, Fields: []Field{
		attr("defaultList", tBool, one, M, "Default-List"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("AttributeList", "AttributeList", one, M, "Presence-Attribute-List"),
		elem("ContactList", "ContactList", many, C, "Contact-List-ID-List").when(whenNoDefault),
		elem("UserID", "UserID", many, C, "User-ID-List").when(whenNoDefault),
	}},
	{Name: "DeleteAttrListRequest", Section: "10.2.13", By: Requestor, Fields: []Field{
		attr("defaultList", tBool, one, M, "Default-List"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("ContactList", "ContactList", many, C, "Contact-List-ID-List").when(whenNoDefault),
		elem("UserID", "UserID", many, C, "User-ID-List").when(whenNoDefault),
	}},
	{Name: "GetAttrListRequest", Section: "10.2.14", By: Requestor, Fields: []Field{
		attr("defaultList", tBool, one, M, "Default-List"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("ContactList", "ContactList", many, O, "Contact-List-ID-List"),
		elem("UserID", "UserID", many, O, "User-ID-List"),
	}},
	{Name: "GetAttrListResponse", Section: "10.2.15", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("Presence", "Association", many, O, "Attribute-Association-List"),
		elem("DefaultAttributeList", "DefaultAttributeList", maybe, O, "Default-Association-List"),
	}},
}

// listTransactions are those of the same chapter.
var listTransactions = []Transaction{
	{Name: "CreateContactList", Section: "10.3.1", Needs: "PresenceFeature/ContactListUpdate", Complementary: true, Steps: []Step{{Requestor, "CreateContactListRequest"}, {Provider, "Status"}}},
	{Name: "DeleteContactList", Section: "10.3.2", Needs: "PresenceFeature/ContactListUpdate", Complementary: true, Steps: []Step{{Requestor, "DeleteContactListRequest"}, {Provider, "Status"}}},
	{Name: "GetContactList", Section: "10.3.3", Needs: "PresenceFeature/ContactListGet", Complementary: true, Steps: []Step{{Requestor, "GetContactListRequest"}, {Provider, "GetContactListResponse"}}},
	{Name: "GetListMember", Section: "10.3.4", Needs: "PresenceFeature/ContactListGet", Complementary: true, Steps: []Step{{Requestor, "GetListMemberRequest"}, {Provider, "ContactListMemberResponse"}}},
	{Name: "AddListMember", Section: "10.3.5", Needs: "PresenceFeature/ContactListUpdate", Complementary: true, Steps: []Step{{Requestor, "AddListMemberRequest"}, {Provider, "ContactListMemberResponse"}}},
	{Name: "RemoveListMember", Section: "10.3.6", Needs: "PresenceFeature/ContactListUpdate", Complementary: true, Steps: []Step{{Requestor, "RemoveListMemberRequest"}, {Provider, "ContactListMemberResponse"}}},
	{Name: "GetListProperties", Section: "10.3.7", Needs: "PresenceFeature/ContactListGet", Complementary: true, Steps: []Step{{Requestor, "GetListPropsRequest"}, {Provider, "ContactListPropsResponse"}}},
	{Name: "SetListProperties", Section: "10.3.8", Needs: "PresenceFeature/ContactListUpdate", Complementary: true, Steps: []Step{{Requestor, "SetListPropsRequest"}, {Provider, "ContactListPropsResponse"}}},
	{Name: "CreateAttributeList", Section: "10.3.9", Needs: "PresenceFeature/AttributeList", Complementary: true, Steps: []Step{{Requestor, "CreateAttrListRequest"}, {Provider, "Status"}}},
	{Name: "DeleteAttrList", Section: "10.3.10", Needs: "PresenceFeature/AttributeList", Complementary: true, Steps: []Step{{Requestor, "DeleteAttrListRequest"}, {Provider, "Status"}}},
	{Name: "GetAttrList", Section: "10.3.11", Needs: "PresenceFeature/AttributeList", Complementary: true, Steps: []Step{{Requestor, "GetAttrListRequest"}, {Provider, "GetAttrListResponse"}}},
}
