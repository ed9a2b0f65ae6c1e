package wire

// profilePrimitives: user profiles, SSP 8: ssp-syntax 3.3.
var profilePrimitives = []Structure{
	{Name: "GetUserProfileRequest", Section: "8.2.1", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("UserID", "UserID", many, M, "User-ID-List"),
	}},
	{Name: "UserProfile", Section: "8.2.2", By: Provider, Fields: []Field{
		elem("Status", "Status", one, M, "Status-Info"),
		elem("Profile", "Profile", many, M, "User-Profile-List"),
	}},
	{Name: "UpdateUserProfileRequest", Section: "8.2.3", By: Requestor, Fields: []Field{
		elem("MetaInfo", "MetaInfo", one, M, "Meta-Information"),
		elem("Profile", "Profile", some, M, "Updated-User-Profile-List"),
	}},
}

// profileTransactions are those of the same chapter.
var profileTransactions = []Transaction{
	{Name: "GetUserProfile", Section: "8.3.1", Needs: "SAPFeature/UserProfileManagement", Complementary: true, Steps: []Step{{Requestor, "GetUserProfileRequest"}, {Provider, "UserProfile"}}},
	{Name: "UpdateUserProfile", Section: "8.3.2", Needs: "SAPFeature/UserProfileManagement", Complementary: true, Steps: []Step{{Requestor, "UpdateUserProfileRequest"}, {Provider, "Status"}}},
}
