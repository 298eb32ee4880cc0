// Threads that carry asynchronous jobs: started on demand, a bounded number, kept for later jobs.
//
// Who may touch a job: its poster until post(), the runner while the job waits, and from then on whoever took
// it out of the queue, once: a thread of the runner, which calls run() and never looks at the job again, or
// withdraw(), which gives the job back to the caller. Both take it under one lock, so a job is run or
// withdrawn, never both and never twice. Nothing here knows JavaScript.
#pragma once

#include <condition_variable>
#include <mutex>

namespace sonotext {

class Runner {
 public:
  class Job {
   public:
    Job() = default;
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    // Must not throw. The job may be destroyed before it returns.
    virtual void run() = 0;

   protected:
    ~Job() = default;

   private:
    friend class Runner;
    Job* before_ = nullptr;
    Job* after_ = nullptr;
    bool waiting_ = false;
  };

  static Runner& instance();  // never destroyed, like the pool

  // Jobs begin in the order they were posted. Where the system gives no thread at all, the job runs here.
  void post(Job& job);

  // Takes a job out of the queue: true when it had not begun, and now never will.
  bool withdraw(Job& job);

 private:
  void loop();
  void take_out(Job& job);  // mutex_ held

  std::mutex mutex_;
  std::condition_variable arrived_;
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  int waiting_ = 0;
  int threads_ = 0;
  int idle_ = 0;
};

}  // namespace sonotext
