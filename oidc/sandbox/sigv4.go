package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signature Version 4 as AWS documents it ("AWS Signature Version 4 for API
// requests"), for headers only: presigned URLs and chunked uploads are refused.
const (
	sigAlgorithm    = "AWS4-HMAC-SHA256"
	sigTerminator   = "aws4_request"
	sigTimeLayout   = "20060102T150405Z"
	sigMaxSkew      = 15 * time.Minute
	unsignedPayload = "UNSIGNED-PAYLOAD"
	payloadHeader   = "X-Amz-Content-Sha256"
)

// A signature is an Authorization header taken apart.
type signature struct {
	accessKey             string
	date, region, service string
	headers               []string // signed, lower case, sorted
	value                 string
}

func (g *signature) scope() string {
	return strings.Join([]string{g.date, g.region, g.service, sigTerminator}, "/")
}

// authenticate checks a signed request and returns its session. The codes are
// those of the service that is asked.
func (s *Sandbox) authenticate(r *http.Request, body []byte, service string) (*session, *apiError) {
	codes := stsCodes
	if service == "s3" {
		codes = storeCodes
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, &apiError{http.StatusForbidden, codes.missing, "Request is missing Authentication Token", ""}
	}
	g, ok := parseSignature(header)
	if !ok || g.service != service {
		return nil, &apiError{http.StatusBadRequest, codes.malformed, "The authorization header is malformed or for another service", ""}
	}
	open := s.sessions.get(g.accessKey)
	switch {
	case open == nil:
		return nil, &apiError{http.StatusForbidden, codes.unknownKey, "The access key is not known", ""}
	case !open.hasToken(r.Header.Get("X-Amz-Security-Token")):
		return nil, &apiError{codes.tokenStatus, codes.badToken, "The security token included in the request is invalid", ""}
	}
	if failure := s.checkSignature(r, body, g, open.secretKey); failure != nil {
		return nil, failure
	}
	if !s.opts.Now().Before(open.expires) {
		return nil, &apiError{codes.tokenStatus, "ExpiredToken", "The security token included in the request is expired", ""}
	}
	return open, nil
}

// sigCodes are the error codes in which the services differ.
type sigCodes struct {
	missing, malformed, unknownKey, badToken string
	tokenStatus                              int // of a session token that is wrong or expired
}

var (
	stsCodes   = sigCodes{"MissingAuthenticationToken", "IncompleteSignature", "InvalidClientTokenId", "InvalidClientTokenId", http.StatusForbidden}
	storeCodes = sigCodes{"AccessDenied", "AuthorizationHeaderMalformed", "InvalidAccessKeyId", "InvalidToken", http.StatusBadRequest}
)

// checkSignature compares time, body and signature with what the secret key gives.
func (s *Sandbox) checkSignature(r *http.Request, body []byte, g *signature, secret string) *apiError {
	mismatch := &apiError{
		http.StatusForbidden, "SignatureDoesNotMatch",
		"The request signature we calculated does not match the signature you provided.", "",
	}
	signed, err := time.Parse(sigTimeLayout, r.Header.Get("X-Amz-Date"))
	if err != nil || signed.Format("20060102") != g.date {
		return mismatch
	}
	if skew := s.opts.Now().Sub(signed).Abs(); skew > sigMaxSkew {
		return &apiError{http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", ""}
	}
	if !g.covers(r) {
		return mismatch
	}
	payload, failure := payloadHash(r, body)
	if failure != nil {
		return failure
	}
	want := g.compute(canonicalRequest(r, g.headers, payload), signed, secret)
	if subtle.ConstantTimeCompare([]byte(want), []byte(g.value)) != 1 {
		return mismatch
	}
	return nil
}

// parseSignature reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…".
func parseSignature(header string) (*signature, bool) {
	rest, ok := strings.CutPrefix(header, sigAlgorithm+" ")
	if !ok {
		return nil, false
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := fields[name]; !ok || twice {
			return nil, false
		}
		fields[name] = value
	}
	credential := strings.Split(fields["Credential"], "/")
	if len(fields) != 3 || len(credential) != 5 || credential[4] != sigTerminator {
		return nil, false
	}
	g := &signature{
		accessKey: credential[0], date: credential[1], region: credential[2], service: credential[3],
		headers: strings.Split(fields["SignedHeaders"], ";"), value: fields["Signature"],
	}
	return g, slices.IsSorted(g.headers) && g.value != ""
}

// covers reports whether the host and every x-amz header is signed, as AWS demands.
func (g *signature) covers(r *http.Request) bool {
	if !slices.Contains(g.headers, "host") {
		return false
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(g.headers, name) {
			return false
		}
	}
	return true
}

// payloadHash is the hash that was signed; one that names the body must fit it.
func payloadHash(r *http.Request, body []byte) (string, *apiError) {
	sum := sha256.Sum256(body)
	actual := hex.EncodeToString(sum[:])
	switch declared := r.Header.Get(payloadHeader); {
	case declared == "", declared == unsignedPayload:
		if declared == "" {
			return actual, nil
		}
		return declared, nil
	case strings.HasPrefix(declared, "STREAMING-"):
		return "", &apiError{http.StatusNotImplemented, "NotImplemented", "The sandbox does not take chunked uploads", ""}
	case declared != actual:
		return "", &apiError{http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.", ""}
	default:
		return actual, nil
	}
}

func canonicalRequest(r *http.Request, signed []string, payload string) string {
	var b strings.Builder
	for _, line := range []string{r.Method, canonicalPath(r.URL.Path), canonicalQuery(r.URL.Query())} {
		b.WriteString(line + "\n")
	}
	for _, name := range signed {
		b.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(signed, ";") + "\n" + payload)
	return b.String()
}

// canonicalPath encodes once, which is right for S3 and for the "/" of the STS.
func canonicalPath(path string) string {
	if path == "" {
		return "/"
	}
	return awsEscape(path, true)
}

func canonicalQuery(q url.Values) string {
	pairs := []string{}
	for name, values := range q {
		for _, v := range values {
			pairs = append(pairs, awsEscape(name, false)+"="+awsEscape(v, false))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func canonicalHeader(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length": // net/http keeps it beside the headers
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

// awsEscape leaves RFC 3986's unreserved characters, and "/" where that is asked.
func awsEscape(s string, keepSlash bool) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9',
			strings.IndexByte("-_.~", c) >= 0, c == '/' && keepSlash:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

// compute signs the canonical request with the key derived for the scope.
func (g *signature) compute(canonical string, signed time.Time, secret string) string {
	sum := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{sigAlgorithm, signed.Format(sigTimeLayout), g.scope(), hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{g.date, g.region, g.service, sigTerminator, text} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}
