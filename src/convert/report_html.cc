// The report as one page: its JSON and a program that draws it. Nothing is fetched, and nothing but
// the page's own program may run.
#include <cstdint>
#include <span>

#include "base/hash.h"
#include "graft/report.h"
#include "page_text.h"

namespace graft {
namespace {

std::string base64(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (i + j < bytes.size() ? bytes[i + j] : 0);
    for (size_t j = 0; j < 4; ++j)
      text += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

// As a Content-Security-Policy names an inline script or style.
std::string source_hash(std::string_view text) {
  return "'sha256-" + base64(sha256(std::as_bytes(std::span(text)))) + "'";
}

// JSON that may stand in a script element. A newline is layout there, never part of a string; '<'
// is part of strings only, where \u003c is the same.
void append_data(std::string& page, std::string_view json) {
  for (size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '<')
      page += "\\u003c";
    else if (json[i] == '\n')
      while (i + 1 < json.size() && json[i + 1] == ' ') ++i;
    else
      page += json[i];
  }
}

void append_between(std::string& page, std::string_view& rest, std::string_view mark,
                    const auto& append) {
  const size_t at = rest.find(mark);
  page += rest.substr(0, at);
  append();
  rest.remove_prefix(at + mark.size());
}

}  // namespace

std::string report_page(std::string_view json) {
  std::string page;
  page.reserve(json.size() + kPageHtml.size() + kPageStyle.size() + kPageScript.size() + 512);
  std::string_view rest = kPageHtml;
  append_between(page, rest, "@POLICY@", [&] {
    page += "default-src 'none'; base-uri 'none'; form-action 'none'; style-src " +
            source_hash(kPageStyle) + "; script-src " + source_hash(kPageScript);
  });
  append_between(page, rest, "@STYLE@", [&] { page += kPageStyle; });
  append_between(page, rest, "@DATA@", [&] { append_data(page, json); });
  append_between(page, rest, "@SCRIPT@", [&] { page += kPageScript; });
  page += rest;
  return page;
}

std::string Report::html() const { return report_page(json()); }

}  // namespace graft
