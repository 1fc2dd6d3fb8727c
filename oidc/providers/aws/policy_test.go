package aws

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc/providers/aws/policy"
)

// decide asks the evaluator what a session policy says to a request.
func decide(t *testing.T, text, action, resource string, at time.Time) policy.Outcome {
	t.Helper()
	doc, err := policy.Parse(policy.Identity, []byte(text))
	if err != nil || !doc.Valid() {
		t.Fatalf("%s: %v", text, err)
	}
	return doc.Evaluate(policy.Request{Action: action, Resource: resource,
		Context: map[string][]string{"aws:CurrentTime": {at.UTC().Format(policyTime)}}}).Outcome
}

var (
	someActions   = []string{"s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*", "ec2:RunInstances", "*"}
	someResources = []string{"arn:aws:s3:::a/*", "arn:aws:s3:::a/b", "arn:aws:s3:::c", "arn:aws:ec2:eu-west-1:111122223333:instance/*", "*"}
	triedActions  = []string{"s3:GetObject", "s3:GetBucketTagging", "s3:PutObject", "ec2:RunInstances", "iam:PassRole"}
	triedResource = []string{"arn:aws:s3:::a/b", "arn:aws:s3:::a/x", "arn:aws:s3:::c", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1"}
)

// Merged entries allow exactly what the entries one by one allow, and after the
// deny nothing is allowed.
func TestSessionPolicyMeansWhatTheGrantSays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string) (list []string) {
		for range 1 + r.IntN(3) {
			list = append(list, from[r.IntN(len(from))])
		}
		return list
	}
	start := newClock().now
	allowed, denied := 0, 0
	for range 100 {
		s := &settings{}
		for range 1 + r.IntN(4) {
			s.Allow = append(s.Allow, rights{pick(someActions), pick(someResources)})
		}
		_, deny := durations(5*time.Minute, start)
		text := s.sessionPolicy(deny)
		for _, a := range triedActions {
			for _, res := range triedResource {
				want := policy.Deny
				for _, entry := range s.Allow { // each on its own, as written
					one := compact([]statement{{Effect: "Allow", Action: entry.Actions, Resource: entry.Resources}})
					if decide(t, one, a, res, start) == policy.Allow {
						want = policy.Allow
					}
				}
				if want == policy.Allow {
					allowed++
				} else {
					denied++
				}
				if got := decide(t, text, a, res, deny); got != want {
					t.Fatalf("%s on %s: %s, want %s by %v\n%s", a, res, got, want, s.Allow, text)
				}
				if got := decide(t, text, a, res, deny.Add(time.Second)); got != policy.Deny {
					t.Fatalf("%s on %s after the deny: %s\n%s", a, res, got, text)
				}
			}
		}
	}
	if allowed < 200 || denied < 200 {
		t.Errorf("%d allowed and %d denied: the samples say too little", allowed, denied)
	}
}

func TestDenyAloneLeavesTheRolesRightsUntilThen(t *testing.T) {
	start := newClock().now
	_, deny := durations(2*time.Minute, start)
	text := (&settings{}).sessionPolicy(deny)
	if got := decide(t, text, "iam:PassRole", "arn:aws:iam::111122223333:role/x", start); got != policy.Allow {
		t.Errorf("before: %s", got)
	}
	if got := decide(t, text, "iam:PassRole", "arn:aws:iam::111122223333:role/x", deny.Add(time.Second)); got != policy.Deny {
		t.Errorf("after: %s", got)
	}
}
