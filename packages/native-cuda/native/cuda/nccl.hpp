// Collectives over the GPUs of several processes by NVIDIA's NCCL. The library is looked for when it is first
// asked for, so that nothing here needs it: SONOTEXT_NCCL names the file, else it is libnccl.so.2 of the
// loader's path.
//
// A process has one communicator at a time, joined by one device. Collectives are enqueued on the stream of
// the device whose memory they move, as ops are. One that waits for a process which is gone never ends by
// itself: whoever learns of it, on any thread, gives the communicator up, and every op and download of the
// process's GPUs fails with the reason until it has left.
#pragma once

#include <string>
#include <vector>

#include "../core/device.hpp"

namespace sonotext::nccl {

constexpr int kIdBytes = 128;

struct Summary {
  std::string version;  // "2.27.3"; empty: it cannot be used
  std::string detail;   // its file, or why not
};
const Summary& summary();

// The PCI address of a CUDA device's GPU: processes of a machine must have different ones.
Status address(Device& device, std::string& address);

// kIdBytes bytes by which the processes of a communicator find each other: one makes them, all join with
// them.
Status make_id(unsigned char* id);

// Returns when all `size` processes have joined.
Status join(Device& device, const unsigned char* id, int rank, int size);

// Replaces the values of every buffer by their sum over all ranks. The buffers are `device`'s.
Status all_reduce(Device& device, const std::vector<F32Out>& buffers);

// `whole` becomes the parts of all ranks in their order; `lengths` says how long each is.
Status all_gather(Device& device, F32In part, F32Out whole, const std::vector<i64>& lengths);

// What NCCL has found to be wrong by itself, as with a network; empty when nothing is. From any thread.
std::string problem();

// From any thread; nothing where the process has not joined.
void give_up(const std::string& reason);

// Why the communicator was given up; null when it was not.
const char* given_up();

// Waits for what is enqueued, unless it was given up, and ends the communicator.
void leave();

}  // namespace sonotext::nccl
