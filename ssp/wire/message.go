package wire

// messagePrimitives: messages and who may send them, SSP 12.2, 12.3; ssp-syntax 3.7.
var messagePrimitives = []Structure{
	{Name: "SendMessageRequest", Section: "12.2.1", By: Requestor, Fields: []Field{
		attr("deliveryReport", tBool, one, M, "Delivery-Report-Request"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("MessageInfo", "MessageInfo", one, M, "Message-Info"),
		elem("ContentData", "ContentData", maybe, C, "Content").when(whenNoURI),
	}},
	{Name: "SendMessageResponse", Section: "12.2.2", By: Provider, Fields: []Field{
		attr("messageID", tString, maybe, C, "Message-ID").when(whenSent),
		elem("Status", "Status", one, M, "Status-Info"),
	}},
	{Name: "ForwardMessageRequest", Section: "12.2.3", By: Requestor, Fields: []Field{
		attr("messageID", tString, maybe, M, "Message-ID").when(whenEither),
		attr("messageURI", tString, maybe, M, "Message-URI").when(whenEither),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("Recipient", "Recipient", some, M, "Recipients"),
	}},
	{Name: "NewMessage", Section: "12.2.4", By: Provider, Fields: []Field{
		elem("MetaInfo", "MetaInfo", maybe, C, "Meta-Information").when(whenRequest),
		elem("Status", "Status", maybe, C, "Status-Info").when(whenResponse),
		elem("User", "User", some, M, "Recipient-User-ID-List"),
		elem("MessageInfo", "MessageInfo", one, M, "Message-Info"),
		elem("ContentData", "ContentData", one, M, "Content"),
	}},
	{Name: "MessageDelivered", Section: "12.2.5", By: Requestor, Fields: []Field{
		attr("messageID", tString, one, M, "Message-ID"),
		elem("MetaInfo", "MetaInfo", maybe, C, "Meta-Information").when(whenRequest),
		elem("Status", "Status", maybe, C, "Status-Info").when(whenResponse),
	}},
	{Name: "MessageNotification", Section: "12.2.6", By: Provider, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("User", "User", some, M, "Recipient-User-ID-List"),
		elem("MessageInfo", "MessageInfo", one, M, "Message-Info"),
	}},
	{Name: "GetMessageRequest", Section: "12.2.7", By: Requestor, Fields: []Field{
		attr("messageID", tString, one, M, "Message-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "SetMessageDeliveryMethod", Section: "12.2.8", By: Requestor, Fields: []Field{
		attr("deliveryMethod", tDelivery, one, M, "Message-Delivery-Method"),
		attr("acceptedContentLength", tInt, maybe, O, "Accepted-Content-Length"),
		attr("groupID", tGroup, maybe, O, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "GetMessageListRequest", Section: "12.2.9", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, maybe, C, "Group-ID").when(whenHistory),
		attr("messageCount", tInt, maybe, O, "Message-Count"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "GetMessageListResponse", Section: "12.2.10", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("MessageInfo", "MessageInfo", many, M, "Message-Info-List"),
	}},
	{Name: "RejectMessageRequest", Section: "12.2.11", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("MessageID", "MessageID", some, M, "Message-ID-List"),
	}},
	{Name: "DeliveryStatusReport", Section: "12.2.12", By: Provider, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("DeliveryResult", "DeliveryResult", one, M, "Delivery-Result"),
		elem("DeliveryTime", tTime, maybe, X, "").in13(),
		elem("MessageInfo", "MessageInfo", one, M, "Message-Info"),
	}},
	{Name: "BlockUserRequest", Section: "12.2.13", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("BlockList", "EntityUse", one, M, "Block-List-Status"),
		elem("GrantList", "EntityUse", one, M, "Grant-List-Status"),
	}},
	{Name: "GetBlockedRequest", Section: "12.2.14", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "GetBlockedResponse", Section: "12.2.15", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("BlockList", "EntityList", one, M, "Block-List-Status"),
		elem("GrantList", "EntityList", one, M, "Grant-List-Status"),
	}},
}

// messageTransactions are those of the same chapter.
var messageTransactions = []Transaction{
	{Name: "SendMessage", Section: "12.3.1", Needs: "IMFeature", Steps: []Step{{Requestor, "SendMessageRequest"}, {Provider, "SendMessageResponse"}}},
	{Name: "ForwardMessage", Section: "12.3.2", Needs: "IMFeature", Steps: []Step{{Requestor, "ForwardMessageRequest"}, {Provider, "Status"}}},
	{Name: "PushMessage", Section: "12.3.3", Needs: "IMFeature/PushMsg", Complementary: true, Steps: []Step{{Provider, "NewMessage"}, {Requestor, "MessageDelivered"}}},
	{Name: "MessageNotification", Section: "12.3.4", Needs: "IMFeature/NotifyMsg", Complementary: true, Steps: []Step{{Provider, "MessageNotification"}, {Requestor, "Status"}}},
	{Name: "GetMessage", Section: "12.3.5", Needs: "IMFeature/GetMsg", Complementary: true, Steps: []Step{{Requestor, "GetMessageRequest"}, {Provider, "NewMessage"}, {Requestor, "MessageDelivered"}, {Provider, "Status"}}},
	{Name: "SetMessageDeliveryMethod", Section: "12.3.6", Needs: "IMFeature/DeliveryMtd", Complementary: true, Steps: []Step{{Requestor, "SetMessageDeliveryMethod"}, {Provider, "Status"}}},
	{Name: "GetMessageList", Section: "12.3.7", Needs: "IMFeature/GetMsgList", Steps: []Step{{Requestor, "GetMessageListRequest"}, {Provider, "GetMessageListResponse"}}},
	{Name: "RejectMessage", Section: "12.3.8", Needs: "IMFeature/RejectMsg", Complementary: true, Steps: []Step{{Requestor, "RejectMessageRequest"}, {Provider, "Status"}}},
	{Name: "NotifyDeliveryStatusReport", Section: "12.3.9", Needs: "IMFeature/DeliveryReport", Steps: []Step{{Provider, "DeliveryStatusReport"}, {Requestor, "Status"}}},
	{Name: "BlockUser", Section: "12.3.10", Needs: "IMFeature/Blocking", Complementary: true, Steps: []Step{{Requestor, "BlockUserRequest"}, {Provider, "Status"}}},
	{Name: "GetBlockedList", Section: "12.3.11", Needs: "IMFeature/Blocking", Complementary: true, Steps: []Step{{Requestor, "GetBlockedRequest"}, {Provider, "GetBlockedResponse"}}},
}
