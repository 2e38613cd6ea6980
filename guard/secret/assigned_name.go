package secret

import (
	"slices"
	"strings"
)

// names are the ends of a secret's name, without underscores, hyphens and full stops.
var names = []string{"password", "passwd", "pwd", "passphrase", "secret", "secretkey", "token", "apikey", "accesskey", "accountkey", "authkey", "privatekey", "signingkey", "encryptionkey", "clientsecret", "credential", "credentials", "sharedkey", "sharedaccesskey", "masterkey"}

// moreNames are further ends. In a log record an attribute with such a name may also be
// something else, so [LogHandler] does not drop its value.
var moreNames = []string{
	"passcode", "secretkeybase", "accesskeysecret", "appkey", "consumerkey", "servicekey", "subscriptionkey", "licensekey", "hmackey", "aeskey", "deploykey",
	"integrationkey", "writekey", "storagekey", "functionkey", "authorization", "connectionstring",
	"passwort", "kennwort", "wachtwoord", "contrasena", "senha", "parola", "haslo", "motdepasse", // German, Dutch, Spanish, Portuguese, Italian, Polish, French
}

// shortNames count only as a whole word: "compass" ends with "pass" and is not the name of
// a secret.
var shortNames = []string{"pass", "cred", "creds", "jwt", "bearer"}

// foreignNames are ends of names that are not written in ASCII.
var foreignNames = []string{"contraseña", "hasło", "пароль", "пароля", "токен", "密码", "密碼", "パスワード", "비밀번호"}

// decorations are words that may follow at the end of a name: API_TOKEN_PROD.
var decorations = []string{"prod", "production", "dev", "development", "test", "testing", "staging", "stage", "live", "sandbox", "string", "str", "value", "val", "text", "plain", "raw", "old", "new", "base64", "b64", "env", "var", "default", "param", "header", "v"}

// notSecrets are words before "token" and "key" that make the value public: csrf_token,
// public_key.
var notSecrets = []string{
	"csrf", "xsrf", "authenticity", "next", "page", "nextpage", "continuation", "cursor", "pagination", "cancellation", "sync", "public", "pub", "primary", "foreign", "cache", "sort", "partition",
	"row", "object", "unique", "idempotency", "site", "group", "routing", "message", "natural", "bucket", "schema", "sequence", "index", "idx", "hash", "lookup", "map", "registry",
	"translation", "i18n", "record", "entity", "item", "event", "metric", "label", "keyboard", "hot", "short", "search", "s3", "blob", "file", "vocab", "attention", "rapid",
}

// nameStrength is how much a name proves about its value.
type nameStrength uint8

const (
	nameOther  nameStrength = iota
	nameWeak                // HEROKU_KEY
	nameStrong              // password, API_TOKEN_PROD
)

// nameOf returns how much a name proves about its value.
func nameOf(name string) nameStrength {
	words := wordsOf(name)
	for len(words) > 1 {
		last := strings.TrimRight(words[len(words)-1], "0123456789")
		if last != "" && !slices.Contains(decorations, last) {
			break
		}
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return nameOther
	}
	last := strings.TrimRight(words[len(words)-1], "0123456789")
	if len(words) > 1 && (last == "token" || last == "key") && slices.Contains(notSecrets, words[len(words)-2]) {
		return nameOther
	}
	folded := strings.TrimRight(strings.Join(words, ""), "0123456789")
	switch {
	case endsInOne(folded, names), endsInOne(folded, moreNames), slices.Contains(shortNames, last):
		return nameStrong
	case last == "key" && len(words) > 1, last == "auth":
		return nameWeak
	}
	return nameOther
}

func endsInOne(s string, ends []string) bool {
	return slices.ContainsFunc(ends, func(e string) bool { return strings.HasSuffix(s, e) })
}

// wordsOf returns the words of a name in small letters. The words of API_TOKEN, apiToken
// and api-token are "api" and "token".
func wordsOf(name string) []string {
	var words []string
	from := 0
	add := func(end int) {
		if end > from {
			words = append(words, strings.ToLower(name[from:end]))
		}
	}
	for i := range len(name) {
		switch b := name[i]; {
		case b == '_' || b == '-' || b == '.':
			add(i)
			from = i + 1
		case b >= 'A' && b <= 'Z' && i > from && name[i-1] >= 'a' && name[i-1] <= 'z':
			add(i)
			from = i
		}
	}
	add(len(name))
	return words
}

// keyWords are words before "key" in the name of a secret in a sentence: "API key".
var keyWords = []string{"api", "access", "secret", "private", "account", "auth", "encryption", "signing", "master", "shared", "license", "licence", "subscription", "service", "consumer", "app", "deploy"}

// nameBefore returns how much the name at the end of s proves, the name, and the text
// before the name. In a sentence a name may contain a blank: "API key".
func nameBefore(s string) (n nameStrength, name, rest string) {
	name, rest = cutName(s)
	if strings.EqualFold(name, "key") {
		if previous, _ := cutName(strings.TrimRight(rest, " ")); slices.Contains(keyWords, strings.ToLower(previous)) {
			return nameStrong, name, rest
		}
	}
	if name == "" || rest != "" && rest[len(rest)-1] >= 0x80 {
		lower := strings.ToLower(s)
		if endsInOne(lower, foreignNames) || strings.HasSuffix(lower, "mot de passe") {
			return nameStrong, name, rest
		}
	}
	if strings.EqualFold(name, "passe") && strings.HasSuffix(strings.ToLower(rest), "mot de ") {
		return nameStrong, name, rest
	}
	return nameOf(name), name, rest
}

// cutName returns the name at the end of s, and the text before the name.
func cutName(s string) (name, rest string) {
	from := len(s)
	for from > 0 && nameBytes[s[from-1]] {
		from--
	}
	return s[from:], s[:from]
}
