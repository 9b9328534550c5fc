// Requests: composed as a client would, parsed into strings and maps, handled, forgotten (but for one token per tick).
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "server.h"

namespace server {
namespace {

constexpr size_t kTokenBytes = 96;
constexpr uint32_t kPages = 150;

std::vector<std::string> SplitLines(const std::string &text) {
  std::vector<std::string> lines;
  size_t from = 0;
  for (size_t end; (end = text.find('\n', from)) != std::string::npos; from = end + 1) {
    lines.push_back(text.substr(from, end - from));
  }
  return lines;
}

__attribute__((noinline)) char *CopyToken(const std::string &value) {
  auto *token = static_cast<char *>(std::malloc(kTokenBytes));
  std::strncpy(token, value.c_str(), kTokenBytes - 1);
  token[kTokenBytes - 1] = '\0';
  return token;
}

__attribute__((noinline)) std::string RenderPage(const Request &request, const char *body) {
  std::string page = "{\"path\":\"" + request.path + "\",\"headers\":[";
  for (const auto &[name, value] : request.headers) page += "\"" + name + "=" + value + "\",";
  page += "],\"body\":\"";
  page += body;
  return page + "\"}";
}

}  // namespace

std::string ComposeRequest(Context &context, uint64_t id) {
  std::string text = "GET /pages/" + std::to_string(context.random.Below(kPages)) + "/view\n";
  text += "host: pages.example.org\n";
  text += "accept: application/json, text/html;q=0.9\n";
  text += "authorization: bearer " + std::to_string(id * 2654435761u) + "\n";
  if (id % kRequestsPerTick == 0) text += "upgrade: websocket\n";
  if (id % 160 == 7) text += "content-length: 99999999\n";
  if (id % 80 == 9) text += "content-length: minus one\n";
  return text;
}

Request ParseRequest(const std::string &text, uint64_t id) {
  Request request;
  request.id = id;
  const std::vector<std::string> lines = SplitLines(text);
  request.method = lines[0].substr(0, lines[0].find(' '));
  request.path = lines[0].substr(lines[0].find(' ') + 1);
  for (size_t i = 1; i < lines.size(); i++) {
    const size_t colon = lines[i].find(": ");
    request.headers[lines[i].substr(0, colon)] = lines[i].substr(colon + 2);
  }
  request.token = CopyToken(request.headers["authorization"]);
  return request;
}

/** Answers a request whose length makes no sense; true when it was one. */
static bool RejectRequest(const Request &request) {
  const auto length = request.headers.find("content-length");
  if (length == request.headers.end()) return false;
  const bool tooLarge = std::isdigit(static_cast<unsigned char>(length->second[0])) != 0;
  char *message = FormatError(request, tooLarge ? 413 : 400);
  LogLine(message);
  if (tooLarge) return true;  // the error path that forgets its message
  std::free(message);
  return true;
}

void HandleRequest(Context &context, const std::string &text, uint64_t id) {
  Request request = ParseRequest(text, id);
  AppendAudit(context.tick, id);
  if (RejectRequest(request)) {
    std::free(request.token);
    return;
  }
  TouchSession(context, static_cast<uint32_t>(id / kRequestsPerTick));
  // One lookup per tick goes to the pages, so that the store needs some seconds to fill.
  const bool lookup = id % kRequestsPerTick == 1;
  const char *body = lookup ? FindPage(context.random.Below(kPages)) : "cached by the client";
  LogLine(RenderPage(request, body).c_str());
  // An upgraded connection keeps its token, and nobody remembers where.
  if (request.headers.count("upgrade") == 0) std::free(request.token);
}

}  // namespace server
