package bedrock

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Credentials are an access key of AWS. Token is set for temporary ones.
type Credentials struct{ ID, Secret, Token string }

// sign adds a signature to a request (AWS Signature Version 4). The signature covers
// every header that is set then, the host and the body.
func sign(req *http.Request, body []byte, c Credentials, region, service string, now time.Time) {
	stamp := now.UTC().Format("20060102T150405Z")
	req.Header.Set("X-Amz-Date", stamp)
	if c.Token != "" {
		req.Header.Set("X-Amz-Security-Token", c.Token)
	}
	values := map[string]string{"host": req.Host}
	if req.Host == "" {
		values["host"] = req.URL.Host
	}
	if len(body) > 0 {
		values["content-length"] = strconv.Itoa(len(body))
	}
	for name, all := range req.Header {
		list := make([]string, len(all))
		for i, v := range all {
			list[i] = strings.Join(strings.Fields(v), " ")
		}
		values[strings.ToLower(name)] = strings.Join(list, ",")
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	var canonical strings.Builder
	canonical.WriteString(req.Method + "\n" + encodePath(req.URL.EscapedPath()) + "\n" + query(req) + "\n")
	for _, name := range names {
		canonical.WriteString(name + ":" + values[name] + "\n")
	}
	signed := strings.Join(names, ";")
	hash := sha256.Sum256(body)
	canonical.WriteString("\n" + signed + "\n" + hex.EncodeToString(hash[:]))
	scope := stamp[:8] + "/" + region + "/" + service + "/aws4_request"
	whole := sha256.Sum256([]byte(canonical.String()))
	key := []byte("AWS4" + c.Secret)
	for _, part := range []string{stamp[:8], region, service, "aws4_request"} {
		key = mac(key, part)
	}
	signature := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+stamp+"\n"+scope+"\n"+hex.EncodeToString(whole[:])))
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.ID+"/"+scope+", SignedHeaders="+signed+", Signature="+signature)
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(text)) // it can't fail
	return h.Sum(nil)
}

// encodePath encodes a path that is encoded already: all services but S3 sign it so.
func encodePath(path string) string {
	if path == "" {
		return "/"
	}
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		if c == '/' || c == '-' || c == '.' || c == '_' || c == '~' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// query is the canonical form of the parameters.
func query(req *http.Request) string { return strings.ReplaceAll(req.URL.Query().Encode(), "+", "%20") }
