package fault

import "strings"

// classOfName is what a code, type or status word that a provider defines
// means, by the word's [normal] form. A word that providers use for anything
// wrong with a request is not here: see genericName.
var classOfName = map[string]Class{
	// keys
	"invalidapikey": Auth, "incorrectapikey": Auth, "authentication": Auth, "unauthenticated": Auth,
	"unauthorized": Auth, "apikeyinvalid": Auth, "apikeyexpired": Auth, "accesstokenexpired": Auth,
	"credentialsmissing": Auth, "invalidauthentication": Auth, "accountdeactivated": Auth,
	"unrecognizedclient": Auth, "invalidsignature": Auth, "expiredtoken": Auth, "incompletesignature": Auth,
	"missingauthenticationtoken": Auth, "invalidclienttokenid": Auth, "signaturedoesnotmatch": Auth,
	"tokenexpired": Auth, "invalidtoken": Auth,
	// rights
	"permission": Permission, "permissiondenied": Permission, "accessdenied": Permission, "forbidden": Permission,
	"requestforbidden": Permission, "unsupportedcountryregionterritory": Permission, "failedprecondition": Permission,
	"servicedisabled": Permission, "apikeyserviceblocked": Permission, "userprojectdenied": Permission,
	"notauthorized": Permission, "optinrequired": Permission, "ipnotauthorized": Permission,
	"organizationrestricted": Permission, "invalidorganization": Permission, "modelpermissiondenied": Permission,
	// what isn't there
	"modelnotfound": NotFound, "notfound": NotFound, "deploymentnotfound": NotFound, "resourcenotfound": NotFound,
	"modeldecommissioned": NotFound, "unknownmodel": NotFound, "modelnotexist": NotFound,
	// length
	"contextlengthexceeded": ContextLength, "contextwindowexceeded": ContextLength, "exceedcontextsize": ContextLength,
	"modelcontextwindowexceeded": ContextLength,
	// content
	"contentpolicyviolation": ContentFilter, "contentfilter": ContentFilter, "responsibleaipolicyviolation": ContentFilter,
	"imagecontentpolicyviolation": ContentFilter, "contentfiltered": ContentFilter, "moderationblocked": ContentFilter,
	// limits that refill
	"ratelimitexceeded": RateLimit, "ratelimit": RateLimit, "ratelimited": RateLimit, "ratelimitreached": RateLimit,
	"slowdown": RateLimit, "resourceexhausted": RateLimit, "throttling": RateLimit, "throttled": RateLimit,
	"toomanyrequests": RateLimit, "requestlimitexceeded": RateLimit, "requestthrottled": RateLimit,
	// size
	"requesttoolarge": RequestTooLarge, "payloadtoolarge": RequestTooLarge, "requestentitytoolarge": RequestTooLarge,
	"contenttoolarge": RequestTooLarge,
	// money
	"quota": Quota, "quotadaily": QuotaDaily, "insufficientquota": Quota, "creditbalanceexhausted": Quota, "billing": Quota, "billinghardlimitreached": Quota,
	"billingnotactive": Quota, "billingdisabled": Quota, "enforcedspendlimitreached": Quota, "quotaexceeded": Quota,
	"servicequotaexceeded": Quota, "paymentrequired": Quota, "insufficientcredits": Quota, "insufficientfunds": Quota,
	"blockedapiaccess": Quota, "insufficientbalance": Quota, "accountoverdue": Quota,
	// the server
	"server": ServerError, "internalserver": ServerError, "internal": ServerError, "api": ServerError,
	"modelerror": ServerError, "model": ServerError, "modelstreamerror": ServerError, "modelstream": ServerError,
	"internalfailure": ServerError, "dataloss": ServerError, "badgateway": ServerError,
	// the server's room
	"serverisoverloaded": Overloaded, "overloaded": Overloaded, "engineoverloaded": Overloaded, "modeloverloaded": Overloaded,
	"nocapacity": Overloaded, "capacityexceeded": Overloaded, "servicetiercapacityexceeded": Overloaded,
	"modelnotready": Overloaded, "serviceunavailable": Overloaded, "unavailable": Overloaded, "serverbusy": Overloaded,
	"serveroverloaded": Overloaded,
	// time
	"timeout": Timeout, "deadlineexceeded": Timeout, "requesttimeout": Timeout, "modeltimeout": Timeout,
	"gatewaytimeout": Timeout, "operationtimeout": Timeout,
	// the rest
	"conflict": Conflict, "aborted": Conflict, "alreadyexists": Conflict, "resourceinuse": Conflict,
	"cancelled": Canceled, "canceled": Canceled, "clientclosedrequest": Canceled,
}

// genericName holds the words that say no more than that the request was
// wrong: the status, and for these alone the message, say how.
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
			return Quota, true
		}
	}
	if strings.HasSuffix(n, "overloaded") {
		return Overloaded, true
	}
	return Unknown, false
}

// normal reduces a word to what its spellings share: "rate_limit_error",
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
