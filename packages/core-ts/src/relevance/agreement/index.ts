export {
  type Agreement,
  type AgreementName,
  agreementNames,
  type AgreementOptions,
  type Estimate,
  raterAgreement,
} from './agreement.js'
export { type IntraclassCorrelations, intraclassCorrelations } from './intraclass.js'
export { krippendorffAlpha, type RatingMetric } from './krippendorff.js'
export { type PairwiseAgreement, pairwiseAgreement } from './pairwise.js'
