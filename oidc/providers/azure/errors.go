package azure

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/trust"
)

// A rule says what one of Entra's codes means for a federated login.
type rule struct {
	text      string
	hint      string
	retryable bool
	presented bool // the claims that Entra compares help
}

// rules by AADSTS code. Sources: "Microsoft Entra authentication and authorization error
// codes", and refusals seen in public issues; as of November 2026.
var rules = map[int]rule{
	70021: {text: "has no federated credential for this token", presented: true,
		hint: "compare issuer, subject and audience of the identity's federated credentials with the token, with their case; a new credential takes some minutes to work"},
	700211: {text: "has no federated credential for the token's issuer", presented: true,
		hint: "compare the issuer of the identity's federated credentials with the token's: an enterprise may have one with its own name"},
	700212: {text: "has no federated credential for the token's audience", presented: true,
		hint: "compare the audience of the identity's federated credentials with the token's, or write audience: in the grant"},
	700213: {text: "has no federated credential for the token's subject", presented: true,
		hint: "compare the subject of the identity's federated credentials with the token's: environment or ref, tag or branch, ids in the names of a repository made or renamed since July 2026"},
	7002138: {text: "has a federated credential that differs from the token only in upper and lower case", presented: true,
		hint: "write the subject of the federated credential with the very case of the token"},
	700024: {text: "found the id-token outside its time", hint: "set this machine's clock; an id-token lives about five minutes"},
	700016: {text: "does not know the client-id in this tenant",
		hint: "most likely first: tenant: is another directory than the application's; client-id: is an object id; the application was removed; cloud: is another one"},
	90002:   {text: "does not know the tenant", hint: "most likely first: tenant: is mistyped; the directory is in another cloud (cloud:)"},
	900023:  {text: "does not take the tenant's name", hint: "write tenant: with the directory's id"},
	500011:  {text: "does not know the resource of scope in this tenant", hint: "most likely first: scope: is mistyped; the resource's application is not in the tenant; cloud: is another one"},
	70011:   {text: "does not take the scope", hint: "name one resource with /.default behind it"},
	700027:  {text: "could not verify the signature of the id-token", presented: true, hint: "the issuer's keys may have been rolled over: run the job again later, and compare the issuer of the federated credential"},
	50027:   {text: "found the id-token malformed", hint: "check the source of tokens and the proxy of the runner"},
	7000112: {text: "has the application switched off", hint: "ask its owner to switch it on again"},
	53003:   {text: "refused by a conditional access policy for workload identities", hint: "the policy admits other networks or risks than this runner's: ask the tenant's administrator"},
	50196:   {text: "calls this a loop of the same request", hint: "run the job again later", retryable: true},
	50077:   {text: "has a fault", hint: "run the job again later", retryable: true},
	90033:   {text: "is not available for the moment", hint: "run the job again later", retryable: true},
}

// quotedCode finds a code where the reply lists none.
var quotedCode = regexp.MustCompile(`AADSTS([0-9]{4,8})`)

// An answer is Entra's refusal.
type answer struct {
	Codes       []int  `json:"error_codes"`
	Description string `json:"error_description"`
	Trace       string `json:"trace_id"`
}

// code is the most telling of the codes, 0 for none.
func (a answer) code() int {
	codes := a.Codes
	for _, m := range quotedCode.FindAllStringSubmatch(a.Description[:min(len(a.Description), 2048)], 4) {
		if n, err := strconv.Atoi(m[1]); err == nil {
			codes = append(codes, n)
		}
	}
	for _, n := range codes {
		if _, known := rules[n]; known {
			return n
		}
	}
	if len(codes) > 0 {
		return codes[0]
	}
	return 0
}

// refused explains a bad answer. Of its text only the code is repeated.
func (p *provider) refused(r *wire.Reply, c oidc.Claims) error {
	var a answer
	_ = json.Unmarshal(r.Body, &a) // no JSON, no code
	e := oidc.Error{Stage: oidc.StageExchange, Status: r.Status, RequestID: requestID(r), RetryAfter: r.RetryAfter()}
	if e.RequestID == "" {
		e.RequestID = wire.SafeText(a.Trace)
	}
	n := a.code()
	if n != 0 {
		e.Code = "AADSTS" + strconv.Itoa(n)
	}
	known, ok := rules[n]
	switch {
	case !ok && (r.Status == http.StatusTooManyRequests || r.Status >= 500):
		known = rule{text: "is busy or has a fault", hint: "run the job again later", retryable: true}
	case !ok:
		known = rule{text: "refused the id-token", presented: true,
			hint: "look the code up in entra's list of error codes; the request id finds the try in the sign-in log of service principals"}
	}
	e.Retryable = known.retryable || r.Status == http.StatusTooManyRequests || r.Status >= 500
	e.Message = fmt.Sprintf("%s %s (%s)", p.host, known.text, wire.Answer(e))
	e.Hint = known.hint
	if known.presented {
		e.Hint += fmt.Sprintf("; presented: issuer %.200q, subject %.300q, audience %.200q", c.Issuer, c.Subject, p.Audience()) +
			"; " + trust.Against(Trust, p.grant, p.target, c)
	}
	return &e
}

// notAReply is a success that holds no token, or that the SDK does not take.
func (p *provider) notAReply(r *wire.Reply) error {
	e := &oidc.Error{Stage: oidc.StageExchange, Message: p.host + " answered something that is not a reply of entra",
		Hint: "check endpoint: in the grant and the proxy of the runner"}
	if r != nil {
		e.Status, e.RequestID = r.Status, requestID(r)
	}
	return e
}

func requestID(r *wire.Reply) string {
	return wire.SafeText(r.Header.Get("X-Ms-Request-Id"))
}
