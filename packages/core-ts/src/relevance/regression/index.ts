export { type CalibrationCurve, type CalibrationType, calibrated, fitCalibration } from './calibration.js'
export { fitLogistic, linearPredictor, logistic, type LogisticConstants } from './logistic.js'
export { publishedFunctions, type RelevanceFunction, relevanceOf, softWeight, weightOf } from './published.js'
