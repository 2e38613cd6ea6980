package secret

import (
	"errors"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/internal/kinds"
	"github.com/prodailabs/prodai/guard/threat"
)

// The kinds of secrets that are not a provider's token. [Kinds] lists all kinds.
const (
	KindPrivateKey  = "PRIVATE_KEY"  // PEM block
	KindJWT         = "JWT"          // signed or encrypted JSON web token
	KindURLPassword = "URL_PASSWORD" // URL with user:password@
	KindAssigned    = "SECRET"       // a value of high entropy given to a name such as api_key
	KindBearerToken = "BEARER_TOKEN" // the credentials of an Authorization header
)

// ErrOption is wrapped by every error about an invalid option, and about a
// required argument that is nil.
var ErrOption = errors.New("secret: invalid option")

// Options configure a detector. The zero value finds every kind.
type Options struct {
	// Kinds lists the kinds to find. A list that is empty and not nil means none:
	// [New] returns an error for it, [Rules] returns no rules. Default: nil, which
	// means all.
	Kinds []string
}

// Kinds returns every kind that [New] knows.
func Kinds() []string {
	return kinds.Of(allRules())
}

// New returns a detector of secrets. An unknown kind, or an empty list of kinds, is an
// error that wraps [ErrOption].
func New(o *Options) (*detect.Detector, error) {
	rules, err := Rules(o)
	if err != nil {
		return nil, err
	}
	return kinds.New(rules, ErrOption)
}

// Rules returns the rules that [New] uses. Put them into one detector with the rules of
// other packages. An unknown kind is an error that wraps [ErrOption]. An empty list of
// kinds gives no rules.
func Rules(o *Options) ([]detect.Rule, error) {
	all := allRules()
	if o == nil || o.Kinds == nil {
		return all, nil
	}
	return kinds.Choose(all, o.Kinds, ErrOption)
}

func allRules() []detect.Rule {
	rules := []detect.Rule{privateKeyRule(), jwtRule(), encodedJWTRule(), urlRule(), azureSecretRule(), azureSASRule(), teamsRule(), facebookAppRule(), terraformRule()}
	for _, f := range formats() {
		rules = append(rules, f.rule())
	}
	return append(rules, telegramRule(""), telegramRule("bot"), bearerRule(), assignedRule())
}

func threats() []string { return []string{threat.SensitiveDisclosure, threat.UnsecuredCredentials} }
