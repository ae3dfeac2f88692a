// Runs cases.txt in the host; tests/e2e/test_plugin_cases.py runs the same lines in TensorFlow.
#include <fstream>
#include <sstream>

#include "tf_host/case_fixture.h"

namespace tf_host {
namespace {

TF_Code code_of(const std::string& name) {
  const std::map<std::string, TF_Code> codes = {
      {"OK", TF_OK},
      {"INVALID_ARGUMENT", TF_INVALID_ARGUMENT},
      {"ABORTED", TF_ABORTED},
      {"INTERNAL", TF_INTERNAL},
      {"DATA_LOSS", TF_DATA_LOSS},
  };
  return codes.at(name);
}

Attr attr_value(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  const bool number =
      text.find_first_not_of("-0123456789") == std::string::npos && text.size() < 25;
  if (number) return static_cast<int64_t>(std::stoll(text));
  return text;
}

class CasesTest : public PluginTest {
 protected:
  void run_case(const std::string& name, const std::multimap<std::string, std::string>& keys) {
    SCOPED_TRACE(name);
    reset();
    const auto get = [&](const char* key, const char* fallback) {
      const auto it = keys.find(key);
      return it == keys.end() ? std::string(fallback) : it->second;
    };
    Node n = node(get("plan", "ok"));
    if (get("plan", "") == "empty") n.attrs["serialized_segment"] = std::string();
    if (get("plan", "") == "foreign")
      n.attrs["serialized_segment"] = std::string("ftrt\0\1\2\3", 8);
    if (get("function", "yes") == "yes")
      set_native_function(kFunction, native_answer);
    else
      n.attrs.erase("segment_func");
    for (const auto& [key, value] : keys) {
      if (key.starts_with("attr.")) n.attrs[key.substr(5)] = attr_value(value);
      if (key.starts_with("option.")) {
        EXPECT_EQ(graft::set_run_option(key.substr(7), value).message(), "");
      }
      if (key.starts_with("env.")) setenv(key.substr(4).c_str(), value.c_str(), 1);
    }
    const std::vector<float> x = {0, 1, 2, -3};
    const Tensor input =
        floats(get("rank", "1") == "2" ? std::vector<int64_t>{2, 2} : std::vector<int64_t>{4}, x);
    const Kernel kernel(n);
    const Result result = kernel.run({input});
    EXPECT_EQ(result.code, code_of(get("code", "OK"))) << result.message;
    if (result.code == TF_OK) expect_answer(result, x);
    std::string says = get("says", "");
    // Underscores stand for spaces in cases.txt; names keep theirs, so both sides are compared
    // without either.
    std::string message = result.message;
    for (std::string* text : {&says, &message})
      for (char& c : *text)
        if (c == '_') c = ' ';
    EXPECT_NE(message.find(says), std::string::npos) << result.message;
    EXPECT_EQ(counts().engine, std::stoi(get("engine", "0")));
    EXPECT_EQ(counts().native, std::stoi(get("native", "0")));
  }
};

TEST_F(CasesTest, every_line_of_cases_txt) {
  std::ifstream file(GRAFT_TEST_DATA "/tf_host/cases.txt");
  int cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string name, word;
    words >> name;
    std::multimap<std::string, std::string> keys;
    while (words >> word)
      keys.emplace(word.substr(0, word.find('=')), word.substr(word.find('=') + 1));
    run_case(name, keys);
    unsetenv("GRAFT_STRICT");
    ++cases;
  }
  EXPECT_GE(cases, 25);
}

}  // namespace
}  // namespace tf_host
