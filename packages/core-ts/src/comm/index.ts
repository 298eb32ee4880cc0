export {
  anyRank,
  type Comm,
  type CommNumbers,
  type DeviceLink,
  fromLead,
  leadFirst,
  singleComm,
} from './comm.js'
export { launchRanks, type LaunchRanksOptions } from './launch.js'
export type { Address, Meeting } from './meeting.js'
export { ncclComm, type NcclCommOptions } from './nccl.js'
export { type Environment, openComm, type Place, placeFromEnvironment } from './place.js'
export { joinTcp, type JoinTcpOptions } from './tcp.js'
