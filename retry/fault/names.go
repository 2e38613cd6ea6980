package fault

import "strings"

// classOfName is what a code, type or status word that a provider defines
// means, by the word's [normal] form. A word that providers use for anything
// wrong with a request is not here: see genericName.
var classOfName = map[string]Class{
	// keys
	"invalidapikey": ClassAuth, "incorrectapikey": ClassAuth, "authentication": ClassAuth, "unauthenticated": ClassAuth,
	"unauthorized": ClassAuth, "apikeyinvalid": ClassAuth, "apikeyexpired": ClassAuth, "accesstokenexpired": ClassAuth,
	"credentialsmissing": ClassAuth, "invalidauthentication": ClassAuth, "accountdeactivated": ClassAuth,
	"unrecognizedclient": ClassAuth, "invalidsignature": ClassAuth, "expiredtoken": ClassAuth, "incompletesignature": ClassAuth,
	"missingauthenticationtoken": ClassAuth, "invalidclienttokenid": ClassAuth, "signaturedoesnotmatch": ClassAuth,
	"tokenexpired": ClassAuth, "invalidtoken": ClassAuth,
	// rights
	"permission": ClassPermission, "permissiondenied": ClassPermission, "accessdenied": ClassPermission, "forbidden": ClassPermission,
	"requestforbidden": ClassPermission, "unsupportedcountryregionterritory": ClassPermission, "failedprecondition": ClassPermission,
	"servicedisabled": ClassPermission, "apikeyserviceblocked": ClassPermission, "userprojectdenied": ClassPermission,
	"notauthorized": ClassPermission, "optinrequired": ClassPermission, "ipnotauthorized": ClassPermission,
	"organizationrestricted": ClassPermission, "invalidorganization": ClassPermission, "modelpermissiondenied": ClassPermission,
	// what isn't there
	"modelnotfound": ClassNotFound, "notfound": ClassNotFound, "deploymentnotfound": ClassNotFound, "resourcenotfound": ClassNotFound,
	"modeldecommissioned": ClassNotFound, "unknownmodel": ClassNotFound, "modelnotexist": ClassNotFound,
	// length
	"contextlengthexceeded": ClassContextLength, "contextwindowexceeded": ClassContextLength, "exceedcontextsize": ClassContextLength,
	"modelcontextwindowexceeded": ClassContextLength,
	// content
	"contentpolicyviolation": ClassContentFilter, "contentfilter": ClassContentFilter, "responsibleaipolicyviolation": ClassContentFilter,
	"datainspectionfailed": ClassContentFilter, "datainspection": ClassContentFilter, // Alibaba
	"imagecontentpolicyviolation": ClassContentFilter, "contentfiltered": ClassContentFilter, "moderationblocked": ClassContentFilter,
	// limits that refill
	"ratelimitexceeded": ClassRateLimit, "ratelimit": ClassRateLimit, "ratelimited": ClassRateLimit, "ratelimitreached": ClassRateLimit,
	"slowdown": ClassRateLimit, "resourceexhausted": ClassRateLimit, "throttling": ClassRateLimit, "throttled": ClassRateLimit,
	"ratequota": ClassRateLimit, "allocationquota": ClassRateLimit, "burstrate": ClassRateLimit, // Alibaba's Throttling.…
	"toomanyrequests": ClassRateLimit, "requestlimitexceeded": ClassRateLimit, "requestthrottled": ClassRateLimit,
	// size
	"requesttoolarge": ClassRequestTooLarge, "payloadtoolarge": ClassRequestTooLarge, "requestentitytoolarge": ClassRequestTooLarge,
	"contenttoolarge": ClassRequestTooLarge,
	// money
	"quota": ClassQuota, "quotadaily": ClassQuotaDaily, "insufficientquota": ClassQuota, "creditbalanceexhausted": ClassQuota, "billing": ClassQuota, "billinghardlimitreached": ClassQuota,
	"billingnotactive": ClassQuota, "billingdisabled": ClassQuota, "enforcedspendlimitreached": ClassQuota, "quotaexceeded": ClassQuota,
	"servicequotaexceeded": ClassQuota, "paymentrequired": ClassQuota, "insufficientcredits": ClassQuota, "insufficientfunds": ClassQuota,
	"blockedapiaccess": ClassQuota, "insufficientbalance": ClassQuota, "accountoverdue": ClassQuota,
	"exceededcurrentquota":  ClassQuota,                                           // Moonshot
	"insufficientuserquota": ClassQuota, "preconsumetokenquotafailed": ClassQuota, // one-api
	"arrearage": ClassQuota, "prepaidbilloverdue": ClassQuota, "postpaidbilloverdue": ClassQuota, // Alibaba
	"commoditynotpurchased": ClassQuota, "freetieronly": ClassQuota,
	// the server
	"server": ClassServerError, "internalserver": ClassServerError, "internal": ClassServerError, "api": ClassServerError,
	"modelerror": ClassServerError, "model": ClassServerError, "modelstreamerror": ClassServerError, "modelstream": ClassServerError,
	"internalfailure": ClassServerError, "dataloss": ClassServerError, "badgateway": ClassServerError,
	// the server's room
	"serverisoverloaded": ClassOverloaded, "overloaded": ClassOverloaded, "engineoverloaded": ClassOverloaded, "modeloverloaded": ClassOverloaded,
	"nocapacity": ClassOverloaded, "capacityexceeded": ClassOverloaded, "servicetiercapacityexceeded": ClassOverloaded,
	"modelnotready": ClassOverloaded, "serviceunavailable": ClassOverloaded, "unavailable": ClassOverloaded, "serverbusy": ClassOverloaded,
	"serveroverloaded": ClassOverloaded,
	// time
	"timeout": ClassTimeout, "deadlineexceeded": ClassTimeout, "requesttimeout": ClassTimeout, "modeltimeout": ClassTimeout,
	"gatewaytimeout": ClassTimeout, "operationtimeout": ClassTimeout,
	// the rest
	"conflict": ClassConflict, "aborted": ClassConflict, "alreadyexists": ClassConflict, "resourceinuse": ClassConflict,
	"cancelled": ClassCanceled, "canceled": ClassCanceled, "clientclosedrequest": ClassCanceled,
}

// classOfNumber is what the numbers of Zhipu (Z.AI) mean. They are in an error
// object where other providers have a word. An empty balance has status 429 there.
var classOfNumber = map[string]Class{
	"1110": ClassPermission, "1111": ClassAuth, "1112": ClassPermission, "1113": ClassQuota, "1121": ClassPermission,
	"1211": ClassNotFound, "1220": ClassPermission, "1221": ClassNotFound, "1222": ClassNotFound, "1234": ClassServerError, "1261": ClassContextLength,
	"1301": ClassContentFilter, "1302": ClassRateLimit, "1303": ClassRateLimit, "1304": ClassQuotaDaily, "1305": ClassRateLimit,
	"1308": ClassQuotaDaily, "1309": ClassQuota, "1310": ClassQuotaDaily, "1311": ClassPermission, "1312": ClassOverloaded, "1313": ClassRateLimit,
}

// classOfBase is what the numbers in MiniMax's base_resp mean, which comes with
// status 200. 0 is a success.
var classOfBase = map[int]Class{
	1000: ClassServerError, 1001: ClassTimeout, 1002: ClassRateLimit, 1004: ClassAuth, 1008: ClassQuota, 1013: ClassServerError,
	1024: ClassServerError, 1026: ClassContentFilter, 1027: ClassContentFilter, 1033: ClassServerError, 1039: ClassRateLimit,
	1041: ClassRateLimit, 1042: ClassInvalidRequest, 2013: ClassInvalidRequest, 2045: ClassRateLimit, 2049: ClassAuth, 2056: ClassQuota,
	2061: ClassPermission,
}

// genericName contains the words that mean only that the request was wrong. What is
// wrong follows from the status and, for these words alone, from the message.
var genericName = map[string]bool{
	"invalidrequest": true, "badrequest": true, "invalidargument": true, "validation": true,
	"unprocessableentity": true, "invalidinput": true, "outofrange": true, "inputvalidation": true,
}

// classOf looks a provider's word up.
func classOf(word string) (Class, bool) {
	n := normal(word)
	if c, ok := classOfName[n]; ok {
		return c, true
	}
	// "project_spend_limit_exceeded", "organization_usage_limit_exceeded" and
	// what else of the kind a provider invents.
	for _, suffix := range []string{"spendlimitexceeded", "spendlimitreached", "usagelimitexceeded", "usagelimitreached", "creditsexhausted", "balanceexhausted"} {
		if strings.HasSuffix(n, suffix) {
			return ClassQuota, true
		}
	}
	if strings.HasSuffix(n, "overloaded") {
		return ClassOverloaded, true
	}
	return ClassUnknown, false
}

// normal reduces a word to the common part of its spellings: "rate_limit_error",
// "RateLimitError" and "aws.x#RateLimitException" are all "ratelimit".
func normal(word string) string {
	if i := strings.LastIndexByte(word, '#'); i >= 0 {
		word = word[i+1:]
	}
	word, _, _ = strings.Cut(word, ":") // "ThrottlingException:http://…"
	if i := strings.LastIndexByte(word, '.'); i >= 0 {
		word = word[i+1:]
	}
	var b strings.Builder
	for _, r := range strings.ToLower(word) {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			b.WriteRune(r)
		}
	}
	n := b.String()
	for _, suffix := range []string{"exception", "error"} {
		if t := strings.TrimSuffix(n, suffix); t != "" {
			n = t
		}
	}
	return n
}
