package wire

// groupPrimitives: groups, SSP 13.1, 13.2; ssp-syntax 3.8.
var groupPrimitives = []Structure{
	{Name: "CreateGroupRequest", Section: "13.1.1", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("GroupProperties", "GroupProperties", one, M, "Group-Props"),
	}},
	{Name: "DeleteGroupRequest", Section: "13.1.2", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "JoinGroupRequest", Section: "13.1.3", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		attr("joinedListRequest", tBool, one, M, "Joined-Request"),
		attr("subscribeNotif", tBool, maybe, X, "").in13(),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("ScreenName", "ScreenName", maybe, O, "Screen-Name"),
		elem("OwnProperties", "OwnProperties", maybe, X, "").in13(),
	}},
	{Name: "JoinGroupResponse", Section: "13.1.4", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("JoinedList", "NameList", maybe, C, "Joined-User-Screen-Name-List").when(whenAsked),
		elem("WelcomeNote", "WelcomeNote", maybe, O, "Welcome-Text"),
	}},
	{Name: "LeaveGroupRequest", Section: "13.1.5", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "LeaveGroupIndication", Section: "13.1.6", By: Provider, Fields: []Field{
		attr("groupID", tGroup, maybe, C, "Group-ID").when(whenServerLeave),
		elem("MetaInfo", "MetaInfo", maybe, C, "Meta-Information").when(whenRequest),
		elem("Status", "Status", maybe, C, "Status-Info").when(whenResponse),
		elem("ReasonText", tText, one, M, "Reason-text"),
		elem("User", "User", many, X, ""),
	}},
	{Name: "GetJoinedMemberRequest", Section: "13.1.7", By: Requestor, OMA13: "GetJoinedUsersRequest", Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "GetJoinedMemberResponse", Section: "13.1.8", By: Provider, OMA13: "GetJoinedUsersResponse", Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("JoinedUsers", "JoinedUsers", one, M, "Joined-User-List"),
	}},
	{Name: "GetGroupMemberRequest", Section: "13.1.9", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "GetGroupMemberResponse", Section: "13.1.10", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("Admins", "UserIDs", maybe, O, "User-ID-List-Adm"),
		elem("Moderators", "UserIDs", maybe, O, "User-ID-List-Mod"),
		elem("OrdinaryUsers", "UserIDs", maybe, O, "User-ID-List"),
	}},
	{Name: "AddGroupMemberRequest", Section: "13.1.11", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("UserID", "UserID", many, O, "User-ID-List"),
	}},
	{Name: "RemoveGroupMemberRequest", Section: "13.1.12", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("UserID", "UserID", some, M, "User-ID-List"),
	}},
	{Name: "MemberAccessRequest", Section: "13.1.13", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("Admins", "UserIDs", maybe, O, "User-ID-List-Adm"),
		elem("Moderators", "UserIDs", maybe, O, "User-ID-List-Mod"),
		elem("OrdinaryUsers", "UserIDs", maybe, O, "User-ID-List"),
	}},
	{Name: "GetGroupPropsRequest", Section: "13.1.14", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "GetGroupPropsResponse", Section: "13.1.15", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("GroupProperties", "GroupProperties", maybe, O, "Group-Prop-List"),
		elem("OwnProperties", "OwnProperties", maybe, O, "Own-Prop-List"),
	}},
	{Name: "SetGroupPropsRequest", Section: "13.1.16", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("GroupProperties", "GroupProperties", maybe, O, "Group-Prop-List"),
		elem("OwnProperties", "OwnProperties", maybe, O, "Own-Prop-List"),
	}},
	{Name: "RejectListRequest", Section: "13.1.17", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("AddUsers", "UserIDs", maybe, O, "Add-User-ID-List"),
		elem("RemoveUsers", "UserIDs", maybe, O, "Remove-User-ID-List"),
	}},
	{Name: "RejectListResponse", Section: "13.1.18", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("RejectList", "UserIDs", maybe, O, "Reject-User-ID-List"),
	}},
	{Name: "SubscribeGroupChangeRequest", Section: "13.1.19", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "UnsubscribeGroupChangeRequest", Section: "13.1.20", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "GetGroupSubStatusRequest", Section: "13.1.21", By: Requestor, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
	}},
	{Name: "GetGroupSubStatusResponse", Section: "13.1.22", By: Provider, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		attr("subscribed", tBool, one, M, "Subscription-Status"),
		elem("Status", "Status", one, M, "Status-Info"),
	}},
	{Name: "GroupChangeNotice", Section: "13.1.23", By: Provider, Fields: []Field{
		attr("groupID", tGroup, one, M, "Group-ID"),
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("User", "User", some, M, "Subscribing-User-ID-List"),
		elem("Joined", "NameList", maybe, O, "Joined-User-Screen-Name-List"),
		elem("Left", "NameList", maybe, O, "Left-User-Screen-Name-List"),
		elem("GroupProperties", "GroupProperties", maybe, O, "Group-Prop-List"),
		elem("OwnProperties", "OwnProperties", maybe, O, "Own-Props"),
	}},
}

// groupTransactions are those of the same chapter.
var groupTransactions = []Transaction{
	{Name: "CreateGroup", Section: "13.2.1", Needs: "GroupFeature/GroupMgmt", Complementary: true, Steps: []Step{{Requestor, "CreateGroupRequest"}, {Provider, "Status"}}},
	{Name: "DeleteGroup", Section: "13.2.2", Needs: "GroupFeature/GroupMgmt", Complementary: true, Steps: []Step{{Requestor, "DeleteGroupRequest"}, {Provider, "Status"}}},
	{Name: "JoinGroup", Section: "13.2.3", Needs: "GroupFeature", Steps: []Step{{Requestor, "JoinGroupRequest"}, {Provider, "JoinGroupResponse"}}},
	{Name: "LeaveGroup", Section: "13.2.4", Needs: "GroupFeature", Steps: []Step{{Requestor, "LeaveGroupRequest"}, {Provider, "LeaveGroupIndication"}}},
	{Name: "ServerInitiatedLeaveGroup", Section: "13.2.5", Needs: "GroupFeature", Steps: []Step{{Provider, "LeaveGroupIndication"}}},
	{Name: "GetJoinedMember", Section: "13.2.6", Needs: "GroupFeature/GetMember", Complementary: true, Steps: []Step{{Requestor, "GetJoinedMemberRequest"}, {Provider, "GetJoinedMemberResponse"}}},
	{Name: "GetGroupMember", Section: "13.2.7", Needs: "GroupFeature/MemberMgmt", Complementary: true, Steps: []Step{{Requestor, "GetGroupMemberRequest"}, {Provider, "GetGroupMemberResponse"}}},
	{Name: "AddGroupMember", Section: "13.2.8", Needs: "GroupFeature/MemberMgmt", Complementary: true, Steps: []Step{{Requestor, "AddGroupMemberRequest"}, {Provider, "Status"}}},
	{Name: "RemoveGroupMember", Section: "13.2.9", Needs: "GroupFeature/MemberMgmt", Complementary: true, Steps: []Step{{Requestor, "RemoveGroupMemberRequest"}, {Provider, "Status"}}},
	{Name: "MemberAccess", Section: "13.2.10", Needs: "GroupFeature/MemberMgmt", Complementary: true, Steps: []Step{{Requestor, "MemberAccessRequest"}, {Provider, "Status"}}},
	{Name: "GetGroupProps", Section: "13.2.11", Needs: "GroupFeature", Steps: []Step{{Requestor, "GetGroupPropsRequest"}, {Provider, "GetGroupPropsResponse"}}},
	{Name: "SetGroupProps", Section: "13.2.12", Needs: "GroupFeature", Steps: []Step{{Requestor, "SetGroupPropsRequest"}, {Provider, "Status"}}},
	{Name: "RejectList", Section: "13.2.13", Needs: "GroupFeature/RejectList", Complementary: true, Steps: []Step{{Requestor, "RejectListRequest"}, {Provider, "RejectListResponse"}}},
	{Name: "SubscribeGroupChange", Section: "13.2.14", Needs: "GroupFeature", Steps: []Step{{Requestor, "SubscribeGroupChangeRequest"}, {Provider, "Status"}}},
	{Name: "UnsubscribeGroupChange", Section: "13.2.15", Needs: "GroupFeature", Steps: []Step{{Requestor, "UnsubscribeGroupChangeRequest"}, {Provider, "Status"}}},
	{Name: "GetGroupSubStatus", Section: "13.2.16", Needs: "GroupFeature", Steps: []Step{{Requestor, "GetGroupSubStatusRequest"}, {Provider, "GetGroupSubStatusResponse"}}},
	{Name: "NotifyGroupChange", Section: "13.2.17", Needs: "GroupFeature", Steps: []Step{{Provider, "GroupChangeNotice"}, {Requestor, "Status"}}},
}
