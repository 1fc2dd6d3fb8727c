package cloudformation

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/trust"
)

const yamlTemplate = `AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Owner: { Type: String, Default: umbrella }
  Repository: { Type: String }
  Branches: { Type: CommaDelimitedList, Default: "a, b" }
Resources:
  Provider:
    Type: AWS::IAM::OIDCProvider
    Properties:
      Url: https://token.actions.githubusercontent.com
  Deploy:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: sts:AssumeRoleWithWebIdentity
            Principal: { Federated: !Ref Provider }
            Condition:
              StringLike:
                token.actions.githubusercontent.com:sub: !Sub "repo:${Owner}/${Repository}:*"
              StringEquals:
                token.actions.githubusercontent.com:aud: !If [Prod, sts.amazonaws.com, other]
  Text:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Fn::Sub:
          - |
            {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
             "Principal": {"Federated": "arn:${AWS::Partition}:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"},
             "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:${O}/shop:ref:refs/heads/main${!x}"}}}}
          - O: !Join ["-", [umbrella, !Ref Owner]]
  Function:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: { Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Principal: { Service: lambda.amazonaws.com } }] }
`

func find(t *testing.T, text string) map[string]trust.Document {
	t.Helper()
	docs, err := Find("template.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]trust.Document{}
	for _, d := range docs {
		if !json.Valid(d.Body) || d.Cloud != "aws" || d.Path != "template.yaml" {
			t.Errorf("document %+v", d)
		}
		byName[d.Name] = d
	}
	return byName
}

func TestFindResolvesATemplate(t *testing.T) {
	docs := find(t, yamlTemplate)
	if len(docs) != 2 {
		t.Fatalf("found %d documents, want 2", len(docs))
	}
	deploy := docs["Deploy"]
	for _, part := range []string{`"repo:umbrella/unresolved-`, `"arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com"`} {
		if !strings.Contains(string(deploy.Body), part) {
			t.Errorf("no %s in %s", part, deploy.Body)
		}
	}
	slices.Sort(deploy.Unresolved)
	if deploy.Line != 11 || !slices.Equal(deploy.Unresolved, []string{"If", "Repository"}) {
		t.Errorf("line %d, unresolved %q", deploy.Line, deploy.Unresolved)
	}
	if text := docs["Text"]; !strings.Contains(string(text.Body), "repo:umbrella-umbrella/shop:ref:refs/heads/main${x}") || len(text.Unresolved) > 0 {
		t.Errorf("text is %s, unresolved %q", text.Body, text.Unresolved)
	}
}

func TestFindReadsJSON(t *testing.T) {
	docs := find(t, "{\n\t\"Resources\": {\n\t\t\"Deploy\": {\"Type\": \"AWS::IAM::Role\", \"Properties\": {\"AssumeRolePolicyDocument\": {\"Statement\": [{\"Effect\": \"Allow\","+
		"\"Action\": \"sts:AssumeRoleWithWebIdentity\", \"Principal\": {\"Federated\": {\"Fn::GetAtt\": [\"P\", \"Arn\"]}},"+
		"\"Condition\": {\"StringEquals\": {\"token.actions.githubusercontent.com:sub\": \"repo:umbrella/shop:environment:live\"}}}]}}},"+
		"\"P\": {\"Type\": \"AWS::IAM::OIDCProvider\", \"Properties\": {\"Url\": \"https://token.actions.githubusercontent.com\"}}}}")
	d, ok := docs["Deploy"]
	if !ok || d.Line != 3 || len(d.Unresolved) > 0 || !strings.Contains(string(d.Body), "oidc-provider/token.actions") {
		t.Errorf("found %+v", docs)
	}
}

func TestWhatIsNoTemplateGivesNothing(t *testing.T) {
	for _, text := range []string{"", "a: b", "{}", "Resources: [AWS::IAM::Role]", "Resources: { A: { Type: AWS::IAM::Role } }", "# AWS::IAM::Role Resources"} {
		if docs, err := Find("x", []byte(text)); err != nil || len(docs) > 0 {
			t.Errorf("%q gives %+v, %v", text, docs, err)
		}
	}
	if _, err := Find("x", []byte("Resources: { A: [AWS::IAM::Role")); err == nil {
		t.Error("broken yaml gives no error")
	}
}

func TestAliasesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("# AWS::IAM::Role\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 9; i++ {
		n, m := string(rune('0'+i)), string(rune('0'+i-1))
		b.WriteString("a" + n + ": &a" + n + " [" + strings.Repeat("*a"+m+",", 10) + "]\n")
	}
	b.WriteString("Resources: *a8\n")
	if _, err := Find("x", []byte(b.String())); err == nil {
		t.Error("a template of a hundred million values is read")
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte(yamlTemplate))
	f.Add([]byte(`{"Resources": {"A": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Ref": "A"}}}}}`))
	f.Add([]byte("Resources: &x { A: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: *x } } }"))
	f.Fuzz(func(t *testing.T, b []byte) {
		docs, _ := Find("fuzz.yaml", b)
		for _, d := range docs {
			if d.Name == "" || d.Cloud != "aws" {
				t.Errorf("document %+v", d)
			}
		}
	})
}
