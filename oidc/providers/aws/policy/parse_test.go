package policy_test

import (
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/providers/aws/policy"
)

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const good = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	parse(t, policy.Identity, good)
	// Each case is the good policy with one text replaced.
	tests := []struct{ old, replacement, want string }{
		{`{"Version"`, `{"version"`, `unknown element "version"`},
		{`2012-10-17`, `2012-10-18`, `version "2012-10-18" is not one of`},
		{`"2012-10-17"`, `20121017`, `"Version" is not a string`},
		{`"Version":"2012-10-17",`, `"Version":"2012-10-17","Version":"2012-10-17",`, `"Version" is given twice`},
		{`"Statement"`, `"Id"`, `"Id" is not a string`},
		{`,"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]`, ``, `element "Statement" is missing`},
		{`[{`, `["x",{`, `a statement is not an object`},
		{`[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]`, `"x"`, `"Statement" is neither an object nor a list`},
		{`"Effect":"Allow",`, ``, `statement 1: element "Effect" is missing`},
		{`"Allow"`, `"allow"`, `effect "allow" is not one of`},
		{`"Effect":"Allow"`, `"Effect":"Allow","Effect":"Deny"`, `"Effect" is given twice`},
		{`"Action":"s3:*",`, ``, `exactly one of "Action" and "NotAction"`},
		{`"Action":"s3:*"`, `"Action":"s3:*","NotAction":"s3:*"`, `exactly one of "Action" and "NotAction"`},
		{`"Action":"s3:*"`, `"Action":{"a":1}`, `"Action" is neither a value nor a list`},
		{`"Action":"s3:*"`, `"Action":[["s3:*"]]`, `"Action" holds something that is not a value`},
		{`"Action":"s3:*"`, `"Action":5`, `"Action" is neither a value nor a list`},
		{`,"Resource":"*"`, ``, `exactly one of "Resource" and "NotResource"`},
		{`"Resource":"*"`, `"Resource":"*","Principal":"*"`, `"Principal" has no place`},
		{`"Resource":"*"`, `"Resource":"*","Conditions":{}`, `unknown element "Conditions"`},
		{`"Resource":"*"`, `"Resource":"*","Condition":[]`, `Condition is not an object`},
		{`"Resource":"*"`, `"Resource":"*","Condition":{"Bool":"x"}`, `Bool is not an object`},
		{`"Resource":"*"`, `"Resource":"*","Condition":{"Bool":{"a:b":null}}`, `"a:b" is neither a value nor a list`},
		{`"Resource":"*"`, `"Resource":"*","Condition":{"Bool":{"a:b":"true","a:b":"false"}}`, `"a:b" is given twice`},
		{`"Resource":"*"`, `"Resource":"*","Condition":{"Bool":{},"Bool":{}}`, `"Bool" is given twice`},
		{`}]}`, `}]}}`, `not valid JSON`},
		{`}]}`, `},]}`, `not valid JSON`},
		{`s3:*`, "s3:\xff", `not UTF-8`},
		{`"s3:*"`, `"` + strings.Repeat("x", policy.MaxDocumentBytes) + `"`, `more than the 32768 that are read`},
		{`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`, `{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"}`, `two statements have the sid "a"`},
		{good, `[]`, `the document is not an object`},
		{good, ``, `not valid JSON`},
	}
	for _, tt := range tests {
		text := strings.Replace(good, tt.old, tt.replacement, 1)
		if text == good {
			t.Errorf("%q is not in the policy", tt.old)
		}
		_, err := policy.Parse(policy.Identity, []byte(text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.80s…: error %v, want %q", tt.replacement, err, tt.want)
		}
		if err != nil && (len(err.Error()) > 300 || strings.Contains(err.Error(), "\n")) {
			t.Errorf("the error is not one short line: %q", err)
		}
	}
}

func TestParseRefusesPrincipals(t *testing.T) {
	t.Parallel()
	for principal, want := range map[string]string{
		`"444455556666"`:  `neither "*" nor an object`,
		`["*"]`:           `neither "*" nor an object`,
		`{"Goggle":"x"}`:  `no principals of type "Goggle"`,
		`{"AWS":[["x"]]}`: `"AWS" holds something that is not a value`,
		`"*","Resource":"arn:aws:iam::444455556666:role/x"`: `"Resource" has no place`,
		`"*","NotPrincipal":"*"`:                            `exactly one of "Principal" and "NotPrincipal"`,
	} {
		_, err := policy.Parse(policy.Trust, []byte(`{"Statement":{"Effect":"Allow","Action":"sts:*","Principal":`+principal+`}}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", principal, err, want)
		}
	}
}

// TestNotes: what is not read is said, and whether IAM refuses it too.
func TestNotes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		element string
		notes   []string
		valid   bool
	}{
		{`"Resource":"*"`, nil, true},
		{`"Resource":"arn:aws:s3:::b/${aws:username}"`, []string{`holds a policy variable`}, true},
		{`"Resource":"arn:aws:s3:::b/${*}"`, nil, true},
		{`"Resource":"${aws:PrincipalTag/home}"`, []string{`is neither "*" nor an ARN`}, true},
		{`"Resource":"bucket"`, []string{`resource "bucket" is neither "*" nor an ARN`}, false},
		{`"Resource":"*","Condition":{"StringMatches":{"a:b":"x"}}`, []string{`operator "StringMatches" is not known`}, false},
		{`"Resource":"*","Condition":{"NullIfExists":{"a:b":"true"}}`, []string{`operator "NullIfExists" is not known`}, false},
		{`"Resource":"*","Condition":{"stringequals":{"a:b":"x"}}`, []string{`operator "stringequals" is not known`}, false},
		{`"Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"soon"}}`, []string{`cannot read the value "soon"`}, false},
		{`"Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"${aws:CurrentTime}"}}`, []string{`holds a policy variable`}, true},
		{`"Resource":"*","Condition":{"BinaryEquals":{"a:b":"YQ=="}}`, []string{`operator "BinaryEquals" is not read`}, true},
		{`"Resource":"*","Condition":{"StringEquals":{"a:b":["${aws:userid}","x"]}}`, []string{`value "${aws:userid}" of "a:b" holds a policy variable`}, true},
	}
	for _, tt := range tests {
		d := parse(t, policy.Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*",`+tt.element+`}}`)
		if len(d.Notes) != len(tt.notes) || d.Valid() != tt.valid {
			t.Errorf("%s: notes %+v, valid %v", tt.element, d.Notes, d.Valid())
			continue
		}
		for i, want := range tt.notes {
			if !strings.Contains(d.Notes[i].Text, want) {
				t.Errorf("%s: note %q, want %q", tt.element, d.Notes[i].Text, want)
			}
		}
	}
	if d := parse(t, policy.Identity, `{"Statement":{"Effect":"Allow","Action":"GetObject","Resource":"*"}}`); d.Valid() {
		t.Error("an action without a service is taken for valid")
	}
}
