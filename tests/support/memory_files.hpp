#pragma once

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <string>

#include "cvdd/storage/file_sink.hpp"

namespace cvdd {

// Files in memory, with faults to order.
class MemoryFiles : public FileSink {
 public:
  int append(const std::string& path, std::string_view text) override {
    ++appends;
    if (append_error != 0) return append_error;
    if (const int error = fault(); error != 0) return error;
    files[path] += text;
    return 0;
  }
  int overwrite(const std::string& path, std::string_view text) override {
    if (const int error = fault(); error != 0) return error;
    std::string& file = files[path];
    file.replace(0, std::min(file.size(), text.size()), text);
    return 0;
  }
  int sync(const std::string& path) override {
    ++syncs;
    if (sync_error != 0) return sync_error;
    if (const int error = fault(); error != 0) return error;
    return files.contains(path) ? 0 : ENOENT;
  }
  int lock(const std::string&, std::string_view, std::string& holder) override {
    if (locked_by.empty()) return 0;
    holder = locked_by;
    return EWOULDBLOCK;
  }
  int replace(const std::string& path, std::string_view text) override {
    if (append_error != 0) return append_error;
    files[path] = text;
    return 0;
  }
  int replace_link(const std::string& link, const std::string& target) override {
    if (const int error = fault(); error != 0) return error;
    links[link] = target;
    return 0;
  }
  int read(const std::string& path, std::uint64_t offset, std::size_t size, std::string& text) override {
    const auto file = files.find(path);
    if (file == files.end()) return ENOENT;
    text = offset >= file->second.size() ? "" : file->second.substr(offset, size);
    return 0;
  }
  int size(const std::string& path, std::uint64_t& size) override {
    const auto link = links.find(path);
    const auto file = files.find(link == links.end() ? path : path.substr(0, path.rfind('/') + 1) + link->second);
    if (folders.contains(path)) {
      size = 4'096;
      return 0;
    }
    if (file == files.end()) return ENOENT;
    size = file->second.size();
    return 0;
  }
  int truncate(const std::string& path, std::uint64_t size) override {
    files[path].resize(size);
    return 0;
  }
  int list(const std::string& directory, std::vector<std::string>& names) override {
    if (list_error != 0) return list_error;
    if (files.contains(directory)) return ENOTDIR;
    for (const auto& [path, text] : files) {
      if (path.starts_with(directory + "/")) names.push_back(path.substr(directory.size() + 1));
    }
    return 0;
  }
  int remove(const std::string& path) override { return files.erase(path) > 0 ? 0 : ENOENT; }
  int make_directory(const std::string&) override { return 0; }

  std::map<std::string, std::string> files, links;
  std::set<std::string> folders;  // in the place of files
  int append_error = 0, sync_error = 0, list_error = 0, appends = 0, syncs = 0;
  std::string locked_by;
  // Every `fail_every`-th call that writes fails with `fail_with`.
  int fail_every = 0, fail_with = 0, calls = 0;

 private:
  int fault() { return fail_every > 0 && ++calls % fail_every == 0 ? fail_with : 0; }
};

}  // namespace cvdd
