package cloudformation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// noAccount stands for the account that a template is deployed to.
const noAccount = "000000000000"

// pseudo are the parameters that every template has, as far as they decide nothing.
var pseudo = map[string]string{
	"AWS::AccountId": noAccount, "AWS::Partition": "aws", "AWS::Region": "us-east-1",
	"AWS::URLSuffix": "amazonaws.com", "AWS::StackName": "stack",
}

// A resolver replaces the functions of one policy.
type resolver struct {
	template   *template
	unresolved []string
}

func (r *resolver) value(v any, depth int) any {
	if depth > maxDepth {
		return r.placeholder("a value that is nested too deeply")
	}
	switch x := v.(type) {
	case []any:
		list := make([]any, 0, len(x))
		for _, item := range x {
			if got := r.value(item, depth+1); got != nil {
				list = append(list, got)
			}
		}
		return list
	case map[string]any:
		if len(x) == 1 {
			for name, argument := range x {
				if name == "Ref" || strings.HasPrefix(name, "Fn::") {
					return r.call(name, argument, depth)
				}
			}
		}
		m := make(map[string]any, len(x))
		for _, key := range slices.Sorted(maps.Keys(x)) { // placeholders are numbered in order
			if got := r.value(x[key], depth+1); got != nil {
				m[r.substitute(key, nil)] = got
			}
		}
		return m
	}
	return v
}

// placeholder stands for a function's result: one name for the same text.
func (r *resolver) placeholder(text string) string {
	i := slices.Index(r.unresolved, text)
	if i < 0 {
		i = len(r.unresolved)
		r.unresolved = append(r.unresolved, text)
	}
	return fmt.Sprintf("unresolved-%d", i+1)
}

func (r *resolver) call(name string, argument any, depth int) any {
	switch name {
	case "Ref":
		if text, ok := argument.(string); ok {
			return r.ref(text)
		}
	case "Fn::GetAtt":
		if parts, ok := argument.([]any); ok && len(parts) == 2 {
			return r.attribute(fmt.Sprint(parts[0]), fmt.Sprint(parts[1]))
		}
	case "Fn::Sub":
		return r.sub(argument, depth)
	case "Fn::Join":
		if parts, ok := argument.([]any); ok && len(parts) == 2 {
			list, ok := r.value(parts[1], depth+1).([]any)
			separator, ok2 := parts[0].(string)
			if ok && ok2 {
				return join(list, separator)
			}
		}
	}
	return r.placeholder(strings.TrimPrefix(name, "Fn::"))
}

func join(list []any, separator string) string {
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = fmt.Sprint(item)
	}
	return strings.Join(texts, separator)
}

// ref is a parameter's default, or the ARN of an identity provider of the template.
func (r *resolver) ref(name string) any {
	if text, ok := pseudo[name]; ok {
		return text
	}
	if name == "AWS::NoValue" {
		return nil
	}
	if parameter, ok := r.template.parameters[name].(map[string]any); ok {
		switch value := parameter["Default"].(type) {
		case string:
			if value != "" && strings.HasPrefix(fmt.Sprint(parameter["Type"]), "CommaDelimitedList") {
				return splitList(value)
			}
			if value != "" {
				return value
			}
		case bool:
			return fmt.Sprint(value)
		}
		return r.placeholder(name)
	}
	return r.attribute(name, "Arn")
}

func splitList(value string) []any {
	var list []any
	for item := range strings.SplitSeq(value, ",") {
		list = append(list, strings.TrimSpace(item))
	}
	return list
}

// attribute knows the ARN of the template's own identity providers.
func (r *resolver) attribute(name, attribute string) any {
	resource, _ := r.template.resources[name].(map[string]any)
	if resource["Type"] == "AWS::IAM::OIDCProvider" && attribute == "Arn" {
		properties, _ := resource["Properties"].(map[string]any)
		url, _ := r.value(properties["Url"], 1).(string)
		return "arn:aws:iam::" + noAccount + ":oidc-provider/" + strings.TrimPrefix(url, "https://")
	}
	return r.placeholder(name + "." + attribute)
}

func (r *resolver) sub(argument any, depth int) any {
	switch x := argument.(type) {
	case string:
		return r.substitute(x, nil)
	case []any:
		if len(x) != 2 {
			break
		}
		text, ok := x[0].(string)
		names, ok2 := r.value(x[1], depth+1).(map[string]any)
		if ok && ok2 {
			return r.substitute(text, names)
		}
	}
	return r.placeholder("Sub")
}

// substitute fills in ${Name}, ${Resource.Attribute} and the names that are given;
// "${!x}" is "${x}" as it stands. A "${" of IAM, such as ${aws:username}, stays.
func (r *resolver) substitute(text string, names map[string]any) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		b.WriteString(before)
		end := strings.IndexByte(after, '}')
		if !found || end < 0 {
			if found {
				b.WriteString("${" + after)
			}
			return b.String()
		}
		name := after[:end]
		text = after[end+1:]
		resource, attribute, dotted := strings.Cut(name, ".")
		switch literal, escaped := strings.CutPrefix(name, "!"); {
		case escaped:
			b.WriteString("${" + literal + "}")
		case names[name] != nil:
			b.WriteString(fmt.Sprint(names[name]))
		case dotted:
			b.WriteString(fmt.Sprint(r.attribute(resource, attribute)))
		default:
			b.WriteString(fmt.Sprint(r.ref(name)))
		}
	}
}
